// Package phone reads mobile numbers as people and programs write them, and says
// which of them may be texted.
package phone

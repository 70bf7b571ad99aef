// Package settings are the parts of the policy that administrators change while the
// program runs. They are stored; each replica reads them again every few seconds.
package settings

// Package verify holds the pages that people meet outside of any demo: the one
// that asks for the code of a pending number, and the one behind the link of a
// notice. They speak ten languages, work without JavaScript, and show a number
// only masked. docs/pages.md says how an operator sets them up.
package verify

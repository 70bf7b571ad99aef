// Command kratos is Ory Kratos v1.3.1, built from its own Go module so that the
// tests and the demo run the real server without downloading a binary. It is a
// module of its own because Kratos' dependency tree must not reach Holdline's.
package main

import "github.com/ory/kratos/cmd"

func main() { cmd.Execute() }

// Command kratos is Ory Kratos v1.3.1, built from its own Go module so that the
// tests and the demo run the real server without downloading a binary. It is a
// module of its own because Kratos' dependency tree must not reach Holdline's.
package main

import (
	"runtime/debug"

	"github.com/ory/kratos/cmd"
	"github.com/ory/kratos/driver/config"
)

// main tells the version that the program is built from, as Ory's own builds do.
func main() {
	if build, ok := debug.ReadBuildInfo(); ok {
		for _, module := range build.Deps {
			if module.Path == "github.com/ory/kratos" {
				config.Version = module.Version
			}
		}
	}
	cmd.Execute()
}

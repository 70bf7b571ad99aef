package harness

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"sync"

	"github.com/go-sql-driver/mysql"
)

// Environment is what a test run needs and shares.
type Environment struct {
	HoldlineBin string
	KratosBin   string
	Chromium    string
	// Axe is axe-core, which looks for what keeps people out of pages.
	Axe string
	Dir string
	// Kind is the database server of the tests that do not name one.
	Kind serverKind

	browser      sync.Once
	browsing     context.Context
	stopBrowsing func()
	browserErr   error

	serving     sync.Mutex
	servers     map[string]*Server // by kind, shared
	template    sync.Once
	migrated    string
	templateErr error
}

// Env is the environment of this test run. [Setup] fills it.
var Env Environment

// Setup reads the environment; every fault is reported at once.
func Setup() error {
	var faults []error
	// Debian keeps mariadbd where only root looks.
	if err := os.Setenv("PATH", os.Getenv("PATH")+":/usr/sbin"); err != nil {
		return err
	}
	binary := func(variable, hint string) string {
		name := os.Getenv(variable)
		if name == "" {
			faults = append(faults, fmt.Errorf("%s is not set: %s", variable, hint))
			return ""
		}
		name, err := filepath.Abs(name)
		if err == nil {
			_, err = os.Stat(name)
		}
		if err != nil {
			faults = append(faults, fmt.Errorf("%s: %w", variable, err))
		}
		return name
	}
	program := func(names ...string) string {
		for _, name := range names {
			if found, err := exec.LookPath(name); err == nil {
				return found
			}
		}
		faults = append(faults, fmt.Errorf("%s is not installed (looked for %q)", names[0], names))
		return ""
	}
	Env.HoldlineBin = binary("HOLDLINE_BIN", "the path of the built holdline")
	Env.KratosBin = binary("KRATOS_BIN", "the path of Kratos v1.3.1, built in e2e/kratos")
	Env.Axe = binary("AXE_JS", "the path of axe.min.js, which `make axe` fetches")
	Env.Chromium = program("/usr/bin/chromium", "chromium", "chromium-browser", "google-chrome")
	program("mariadbd")
	program("mariadb-install-db")
	program("bearerbox")
	program("smsbox")
	program(fakesmsc)
	program("ip")
	kind, err := kindOfRun()
	if err != nil {
		faults = append(faults, err)
	}
	Env.Kind, Env.servers = kind, map[string]*Server{}
	// Servers are stopped on purpose here; every error reaches its caller.
	_ = mysql.SetLogger(log.New(io.Discard, "", 0))
	dir, err := os.MkdirTemp("", "holdline-e2e-")
	Env.Dir = dir
	return errors.Join(append(faults, err)...)
}

// Teardown stops what the run shared and removes its folder.
func Teardown() {
	if Env.stopBrowsing != nil {
		Env.stopBrowsing()
	}
	for _, server := range Env.servers {
		server.stop()
	}
	_ = os.RemoveAll(Env.Dir)
}

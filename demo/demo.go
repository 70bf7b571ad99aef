package demo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/holdline/holdline/portal/selfservice"
)

// Options say how the demo runs.
type Options struct {
	// KratosBin is the path of a Kratos binary with SQLite.
	KratosBin string
	// Dir keeps files and logs for a later look, and must be empty at the start.
	// Blank is a temporary folder that is removed at the end.
	Dir string
	Out io.Writer
	// PortBase moves all ports; see [DefaultPortBase]. 0 is for free ones.
	PortBase int
	// Serve runs Holdline, on SQLite and with the simulator as its gateway, until
	// ctx ends.
	Serve func(ctx context.Context, settings Settings) error
	// KratosConfig returns what `holdline kratos-config` prints.
	KratosConfig func(settings Settings) ([]byte, error)
}

// ErrNoKratos says what is missing for a demo.
var ErrNoKratos = errors.New("the demo needs a Kratos binary: `make demo` builds one and starts the demo with it")

// Run runs the demo until ctx ends, which is no error.
func Run(ctx context.Context, o Options) error {
	if o.KratosBin == "" {
		return ErrNoKratos
	}
	bin, err := filepath.Abs(o.KratosBin)
	if err == nil {
		_, err = os.Stat(bin)
	}
	if err != nil {
		return fmt.Errorf("%w (%w)", ErrNoKratos, err)
	}
	dir, remove, err := folder(o.Dir)
	if err != nil {
		return err
	}
	defer remove()
	chosen, err := choosePorts(ctx, o.PortBase)
	if err != nil {
		return err
	}
	s := stage{
		Options: o, ports: chosen, password: secret()[:12],
		kratos: child{bin: bin, dir: dir, log: filepath.Join(dir, "kratos.log")},
		settings: Settings{
			Dir: dir, KratosPublicURL: local(chosen.KratosPublic), KratosAdminURL: local(chosen.KratosAdmin),
			PublicPort: chosen.HoldlinePublic, AdminPort: chosen.HoldlineAdmin, HookKey: secret(), OTPSecret: secret(), ConsoleToken: token(), ConsoleKey: secret(),
			MobileTrait: mobileTrait, PendingKey: pendingKey, DemoURL: local(chosen.Demo),
		},
	}
	return unlessOver(ctx, s.play(ctx))
}

// folder returns the absolute path of an empty folder and what to do with it at
// the end.
func folder(dir string) (string, func(), error) {
	if dir == "" {
		made, err := os.MkdirTemp("", "holdline-demo-")
		if err != nil {
			return "", nil, fmt.Errorf("make folder: %w", err)
		}
		return made, func() { _ = os.RemoveAll(made) }, nil
	}
	dir, err := filepath.Abs(dir)
	if err == nil {
		err = os.MkdirAll(dir, 0o700)
	}
	if err != nil {
		return "", nil, fmt.Errorf("make folder: %w", err)
	}
	there, err := os.ReadDir(dir)
	if err != nil {
		return "", nil, fmt.Errorf("look into folder: %w", err)
	}
	if len(there) > 0 {
		return "", nil, fmt.Errorf("the folder %s is not empty, and the demo starts from nothing", dir)
	}
	return dir, func() {}, nil
}

// stage is a demo that has all it needs.
type stage struct {
	Options
	ports    ports
	kratos   child
	settings Settings
	password string
}

func (s stage) say(format string, args ...any) {
	_, _ = fmt.Fprintf(s.Out, format+"\n", args...) // a closed terminal stops nothing
}

// play starts one part after the other and waits for the end of all. The first
// part that fails ends the others.
func (s stage) play(ctx context.Context) error {
	if err := s.prepare(ctx); err != nil {
		return err
	}
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return s.kratos.serve(ctx, "serve", "--dev") })
	g.Go(func() error { return s.open(ctx, g) })
	return g.Wait()
}

// prepare writes Kratos' files and its database.
func (s stage) prepare(ctx context.Context) error {
	s.say("writing the configuration of Kratos to %s", s.settings.Dir)
	fragment, err := s.KratosConfig(s.settings)
	if err != nil {
		return fmt.Errorf("kratos-config: %w", err)
	}
	base := kratosBase{s.ports, s.settings, secret(), secret()}
	if err := writeKratosFiles(s.settings.Dir, base, fragment); err != nil {
		return err
	}
	s.say("making Kratos' database, which takes some seconds")
	return s.kratos.run(ctx, "migrate", "sql", "-e", "--yes")
}

// open starts what comes after Kratos and prints the links.
func (s stage) open(ctx context.Context, g *errgroup.Group) error {
	s.say("starting Kratos")
	if err := await(ctx, "Kratos", s.settings.KratosPublicURL); err != nil {
		return err
	}
	if err := await(ctx, "Kratos", s.settings.KratosAdminURL); err != nil {
		return err
	}
	s.say("starting Holdline")
	g.Go(func() error {
		err := s.Serve(ctx, s.settings)
		if err == nil {
			err = errors.New("holdline ended by itself")
		}
		return unlessOver(ctx, err)
	})
	if err := await(ctx, "Holdline", s.settings.PublicURL()); err != nil {
		return err
	}
	s.say("creating the user %s", personEmail)
	if err := createPerson(ctx, s.settings.KratosAdminURL, s.password); err != nil {
		return err
	}
	s.say("starting the pages")
	listener, err := listen(ctx, s.ports.Demo)
	if err != nil {
		return fmt.Errorf("listen for the pages: %w", err)
	}
	defer listener.Close()
	pages, err := selfservice.Demo(selfservice.DemoOptions{
		KratosPublicURL: s.settings.KratosPublicURL, VerifyURL: s.settings.VerifyURL(), PhoneURL: s.phoneURL(), ConsoleURL: s.settings.ConsoleURL(),
		MobileTrait: s.settings.MobileTrait, PendingKey: s.settings.PendingKey, Email: personEmail, Password: s.password, ConsoleToken: s.settings.ConsoleToken,
	})
	if err != nil {
		return err
	}
	s.announce()
	return servePages(ctx, listener, pages)
}

func (s stage) phoneURL() string { return s.settings.AdminURL() + "/simulator/" }

// servePages serves until ctx ends.
func servePages(ctx context.Context, listener net.Listener, pages http.Handler) error {
	server := &http.Server{
		Handler: pages, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 15 * time.Second,
		WriteTimeout: time.Minute, IdleTimeout: 2 * time.Minute,
	}
	drained := make(chan error, 1)
	stop := context.AfterFunc(ctx, func() {
		grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainTime)
		defer cancel()
		drained <- server.Shutdown(grace)
	})
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		stop()
		return fmt.Errorf("serve the pages: %w", err)
	}
	return <-drained
}

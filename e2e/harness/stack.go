package harness

import (
	"slices"
	"strings"
	"testing"
)

// Options make a [Stack] other than the usual one.
type Options struct {
	// Holdline is laid over holdline.yml.
	Holdline tree
	// Gateways come before the usual one.
	Gateways []tree
	// Gateway is laid over the usual one.
	Gateway tree
	// Kratos is laid over kratos.yml.
	Kratos tree
	// KratosServer is where Kratos keeps its identities; nil is SQLite, which saves
	// one form at a time.
	KratosServer *Server
	// Server is where the database is made; nil is the test run's shared one.
	Server *Server
	// Database is one that was made; without it, Server makes one.
	Database *Database
	// Program is another release of Holdline to start with.
	Program string
	// DirectHooks lets Kratos call Holdline without the proxy, at the address
	// that kratos-config takes by default.
	DirectHooks bool
	// Direct leaves out everything that listens in, to be measured without it.
	Direct bool
	// Realms are the names of further realms, each with a Kratos of its own.
	Realms []string
	// JsonnetDir is where kratos-config puts the jsonnet; blank leaves it in the
	// configuration.
	JsonnetDir string
}

// Stack is everything a change of number needs.
type Stack struct {
	Holdline *Holdline
	Kratos   *Kratos
	Provider *Provider
	Database Database
	// Hooks stands between Kratos and Holdline's admin listener, KratosAdmin and
	// KratosPublic between Holdline and Kratos. The tests themselves go past them.
	Hooks, KratosAdmin, KratosPublic *Proxy
	// Realms are the same Holdline with the Kratos of a further realm.
	Realms map[string]*Stack
}

// Overlay is a part of a configuration file.
type Overlay = tree

// NewStack starts everything.
func NewStack(t testing.TB, o Options) *Stack {
	t.Helper()
	switch {
	case o.Database != nil:
		o.Server = o.Database.Server
	case o.Server != nil:
		made := o.Server.NewDatabase(t)
		o.Database = &made
	default:
		o.Server = SharedServer(t)
		made := o.Server.NewMigrated(t)
		o.Database = &made
	}
	publicPort, adminPort := freePort(), freePort()
	ports := kratosPorts{public: freePort(), admin: freePort()}
	s := &Stack{Provider: NewProvider(t), Database: *o.Database}
	kratos := tree{"public_url": ports.publicURL(), "admin_url": ports.adminURL(), "timeout": "5s"}
	if !o.Direct {
		s.KratosAdmin, s.KratosPublic = NewProxy(t, ports.adminURL()), NewProxy(t, ports.publicURL())
		kratos["public_url"], kratos["admin_url"] = s.KratosPublic.URL, s.KratosAdmin.URL
	}
	config := tree{
		"database": tree{"dsn": s.Database.DSN, "auto_migrate": true},
		"secrets":  tree{"otp": []string{"e2e secret of at least 32 characters"}},
		"kratos":   kratos,
		"hooks":    tree{"api_key": HookKey},
		"sms":      tree{"gateways": append(slices.Clone(o.Gateways), merge(s.Provider.Gateway("provider"), o.Gateway))},
		"log":      tree{"level": "debug"},
	}
	realmPorts := map[string]kratosPorts{}
	for _, name := range o.Realms {
		realmPorts[name] = kratosPorts{public: freePort(), admin: freePort()}
	}
	if len(o.Realms) > 0 {
		config["realms"] = realms(o.Realms, realmPorts)
	}
	s.Holdline = newHoldline(t, publicPort, adminPort, merge(config, o.Holdline))
	if !o.DirectHooks && !o.Direct {
		s.Hooks = NewProxy(t, s.Holdline.AdminURL)
		hooks := tree{"hooks": tree{"base_url": s.Hooks.URL}}
		s.Holdline = newHoldline(t, publicPort, adminPort, merge(merge(config, hooks), o.Holdline))
	}
	s.Holdline.program = o.Program
	started := make(chan error, 1)
	printed := s.Holdline.kratosConfig(t, "--jsonnet-dir", o.JsonnetDir)
	go func() { started <- s.Holdline.start() }() // both take their time
	back := tree{"selfservice": tree{"allowed_return_urls": []string{s.Holdline.PublicURL + "/verify"}}}
	s.Kratos = startKratos(t, ports, o.KratosServer, printed, back, o.Kratos)
	s.Realms = map[string]*Stack{}
	for name, ports := range realmPorts {
		cookie := tree{"session": tree{"cookie": tree{"name": realmCookie(name)}}}
		kratos := startKratos(t, ports, o.KratosServer, s.Holdline.kratosConfig(t, "--realm", name), cookie)
		s.Realms[name] = &Stack{Holdline: s.Holdline, Kratos: kratos, Provider: s.Provider, Database: s.Database, Hooks: s.Hooks}
	}
	if err := <-started; err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("holdline printed at last:\n%s\n%s", tail(s.Holdline.Output.String(), 40), o.Server.health())
		}
	})
	return s
}

func realmCookie(name string) string { return strings.ToLower(name) + "_session" }

func realms(names []string, ports map[string]kratosPorts) []tree {
	list := make([]tree, len(names))
	for i, name := range names {
		list[i] = tree{
			"name": name, "public_url": ports[name].publicURL(), "admin_url": ports[name].adminURL(),
			"hook_key": HookKey + name, "session_cookie": realmCookie(name),
		}
	}
	return list
}

// NewKratos starts a Kratos whose people no Holdline hears of.
func NewKratos(t testing.TB, server *Server, over Overlay) *Stack {
	t.Helper()
	ports := kratosPorts{public: freePort(), admin: freePort()}
	return &Stack{Kratos: startKratos(t, ports, server, over)}
}

// Replica starts another Holdline on the same database and the same Kratos.
func (s *Stack) Replica(t testing.TB) *Holdline {
	t.Helper()
	return s.ReplicaOf(t, s.Holdline.program, nil)
}

// ReplicaOf is Replica by another release, or with more laid over its
// configuration. A blank program is the one under test.
func (s *Stack) ReplicaOf(t testing.TB, program string, over Overlay) *Holdline {
	t.Helper()
	replica := newHoldline(t, freePort(), freePort(), merge(s.Holdline.written, over))
	replica.program = program
	replica.Start(t)
	return replica
}

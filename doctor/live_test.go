package doctor_test

import (
	"encoding/json"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/knadh/koanf/maps"

	"github.com/holdline/holdline/doctor"
	"github.com/holdline/holdline/hook"
)

// well is a view in which nothing is wrong.
func well(t *testing.T) doctor.Evidence {
	t.Helper()
	r := realm()
	r.File = kratosYML(t, fill(t, t.TempDir(), good(t)))
	ahead := time.Second
	return doctor.Evidence{Setup: setup(), Realms: []doctor.Realm{r}, Live: &doctor.Live{
		Holdline: doctor.Holdline{Admin: "http://127.0.0.1:4478", Hooks: answer(400, true, nil)},
		Gateways: []doctor.Gateway{{Key: "sms.gateways[0]"}},
		Kratos: map[string]doctor.Kratos{"PRIMARY": {
			Version: "v1.3.1", Ahead: &ahead,
			Schemas: map[string]map[string]any{"verified": parse(t, read(t, "../e2e/testdata/free.schema.json"))},
		}},
	}}
}

// answer is what Holdline's hook answered with the primary realm's key.
func answer(status int, own bool, err error) map[string]doctor.HookAnswer {
	return map[string]doctor.HookAnswer{"PRIMARY": {Status: status, Own: own, Err: err}}
}

var errAway = errors.New("the connection is refused")

// changes are things that go wrong in Holdline's configuration and at servers,
// and all that is found then.
var changes = map[string]struct {
	change       func(*doctor.Evidence)
	finds, warns []string
}{
	"nothing": {func(*doctor.Evidence) {}, nil, nil},
	"a site of another domain may call": {
		func(v *doctor.Evidence) { v.Realms[0].Sites = []string{"https://example.org"} }, nil, []string{"cors-origin-of-another-site"},
	},
	"an example for a key": {
		func(v *doctor.Evidence) { v.Setup.Secrets[0].Value = "…a random key that Kratos will send…" }, []string{"secret-weak"}, nil,
	},
	"one character for a secret": {
		func(v *doctor.Evidence) {
			v.Setup.Secrets = append(v.Setup.Secrets, doctor.Secret{Key: "secrets.otp[0]", Value: "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"})
		}, []string{"secret-weak"}, nil,
	},
	"a secret that repeats itself": {
		func(v *doctor.Evidence) { v.Setup.Secrets[0].Value = "holdline" + "holdline" + "holdline" }, []string{"secret-weak"}, nil,
	},
	"the digits": {
		func(v *doctor.Evidence) { v.Setup.Secrets[0].Value = "0123456789012345678901234567890123456789" }, []string{"secret-weak"}, nil,
	},
	"an admin listener at all addresses": {
		func(v *doctor.Evidence) { v.Setup.AdminHost = "0.0.0.0" }, nil, []string{"admin-listener-bound"},
	},
	"an address without TLS": {
		func(v *doctor.Evidence) { v.Setup.Addresses[0].URL = "http://id.example.com" }, nil, []string{"plain-http"},
	},
	"a simulator": {
		func(v *doctor.Evidence) { v.Setup.Simulators = []string{"sms.gateways[0]"} }, nil, []string{"gateway-simulator"},
	},
	"old numbers that are not told": {
		func(v *doctor.Evidence) { v.Setup.OldNumberUntold = true }, nil, []string{"old-number-not-told"},
	},
	"codes of five digits": {
		func(v *doctor.Evidence) { v.Setup.Codes = 100_000 }, nil, []string{"codes-weak"},
	},
	"passwords by HTTP Basic": {
		func(v *doctor.Evidence) { v.Setup.Passwords = true }, nil, []string{"http-basic-on"},
	},
	"no second factor, where Kratos' form asks for one": {
		func(v *doctor.Evidence) { v.Realms[0].AnyFactor = true }, nil, []string{"second-factor-unasked"},
	},
	"texts to all countries": {
		func(v *doctor.Evidence) { v.Setup.TextsAnywhere = true }, nil, []string{"texts-to-all-countries"},
	},
	"a gateway without a rule": {
		func(v *doctor.Evidence) { v.Setup.WithoutRule = []string{"sms.gateways[0]"} }, nil, []string{"gateway-without-response"},
	},
	"no kratos.yml": {
		func(v *doctor.Evidence) { v.Realms[0].File = nil }, nil, []string{"kratos-config-not-given"},
	},
	"no database": {
		func(v *doctor.Evidence) {
			v.Live.Database = doctor.Database{Err: errAway}
			ahead := time.Hour // of this machine: the database's clock is not known
			v.Live.Kratos["PRIMARY"] = doctor.Kratos{Version: "v1.3.1", Ahead: &ahead}
		}, []string{"database-unreachable"}, nil,
	},
	"a missing migration": {
		func(v *doctor.Evidence) { v.Live.Database.Outdated = true }, []string{"database-schema-outdated"}, nil,
	},
	"a missing migration that serve makes": {
		func(v *doctor.Evidence) { v.Live.Database.Outdated, v.Setup.AutoMigrate = true, true }, nil, nil,
	},
	"a database that takes no writes": {
		func(v *doctor.Evidence) { v.Live.Database.Server.ReadOnly = true }, []string{"database-read-only"}, nil,
	},
	"a database that loses what it has committed": {
		func(v *doctor.Evidence) { v.Live.Database.Server.Lossy = []string{"fsync is off and should be on"} }, nil, []string{"database-not-durable"},
	},
	"an old database": {
		func(v *doctor.Evidence) { v.Live.Database.Server.Least = "14" }, nil, []string{"database-version"},
	},
	"a database with few connections": {
		func(v *doctor.Evidence) { v.Live.Database.Server.Opened = v.Live.Database.Server.Connections + 1 }, nil, []string{"database-connections"},
	},
	"a database that ends idle connections": {
		func(v *doctor.Evidence) { v.Live.Database.Server.Idle = 60 }, nil, []string{"database-idle-timeout"},
	},
	"verification switched off": {
		func(v *doctor.Evidence) { v.Live.Database.Off = true }, []string{"verification-off"}, nil,
	},
	"SCIM verifies on request, by the database": {
		func(v *doctor.Evidence) { v.Live.Database.OnRequest = true }, nil, []string{"scim-without-code"},
	},
	"SCIM verifies on request, and no server was asked": {
		func(v *doctor.Evidence) { v.Live, v.Setup.OnRequest = nil, true }, nil, []string{"scim-without-code"},
	},
	"SCIM verifies on request by the configuration, and always by the database": {
		func(v *doctor.Evidence) { v.Setup.OnRequest = true }, nil, nil,
	},
	"SCIM verifies on request by the configuration, and the database is away": {
		func(v *doctor.Evidence) { v.Live.Database.Err, v.Setup.OnRequest = errAway, true },
		[]string{"database-unreachable"},
		[]string{"scim-without-code"},
	},
	"SCIM would verify on request, and is not served": {
		func(v *doctor.Evidence) { v.Live.Database.OnRequest, v.Setup.SCIM = true, false }, nil, nil,
	},
	"the database's clock and Kratos' are right, this machine's is not": {
		func(v *doctor.Evidence) {
			v.Live.Database.Ahead = time.Minute
			ahead := time.Minute
			v.Live.Kratos["PRIMARY"] = doctor.Kratos{Version: "v1.3.1", Ahead: &ahead}
		}, nil, []string{"clock-database"},
	},
	"Kratos' clock is behind": {
		func(v *doctor.Evidence) { v.Live.Kratos["PRIMARY"] = clock("v26.2.0", -time.Minute) }, nil, []string{"clock-kratos"},
	},
	"Kratos' clock is far behind": {
		func(v *doctor.Evidence) { v.Live.Kratos["PRIMARY"] = clock("v1.3.1", -time.Hour) }, []string{"clock-session-age"}, nil,
	},
	"no Holdline": {
		func(v *doctor.Evidence) { v.Live.Holdline.Hooks = answer(0, false, errAway) }, []string{"holdline-unreachable"}, nil,
	},
	"a Holdline with another key": {
		func(v *doctor.Evidence) { v.Live.Holdline.Hooks = answer(401, true, nil) }, []string{"hook-key-refused"}, nil,
	},
	"a proxy in place of Holdline": {
		func(v *doctor.Evidence) { v.Live.Holdline.Hooks = answer(401, false, nil) }, []string{"hook-answer-foreign"}, nil,
	},
	"a server in place of Holdline that says yes to all": {
		func(v *doctor.Evidence) { v.Live.Holdline.Hooks = answer(204, false, nil) }, []string{"hook-answer-yes"}, nil,
	},
	"the hook of changes, left behind when SCIM was switched off": {
		func(v *doctor.Evidence) { v.Realms[0].Hook.Changed = false }, nil, nil,
	},
	"hooks at the public address": {
		func(v *doctor.Evidence) { v.Live.Holdline.Exposed = "https://id.example.com/hooks/settings/stage" }, []string{"admin-listener-public"}, nil,
	},
	"a gateway that refuses": {
		func(v *doctor.Evidence) { v.Live.Gateways[0].Err, v.Live.Gateways[0].Refuses = errAway, true }, []string{"gateway-refuses"}, nil,
	},
	"a gateway that is away": {
		func(v *doctor.Evidence) { v.Live.Gateways[0].Err = errAway }, []string{"gateway-unreachable"}, nil,
	},
	"no Kratos": {
		func(v *doctor.Evidence) {
			v.Live.Kratos["PRIMARY"] = doctor.Kratos{PublicErr: errAway, AdminErr: errAway}
		}, []string{"kratos-unreachable"}, nil,
	},
	"a Kratos of another version": {
		func(v *doctor.Evidence) { v.Live.Kratos["PRIMARY"] = doctor.Kratos{Version: "v1.2.0"} }, nil, []string{"kratos-version"},
	},
	"an admin API at the public address": {
		func(v *doctor.Evidence) {
			v.Live.Kratos["PRIMARY"] = doctor.Kratos{Version: "v1.3.1", AdminOnPublic: true}
		}, []string{"kratos-admin-public"}, nil,
	},
	"an identifier where numbers cannot be removed": {
		func(v *doctor.Evidence) {
			v.Realms[0].RemovalDenied = true
			v.Live.Kratos["PRIMARY"] = schema(`{"credentials":{"code":{"identifier":true}},"verification":{"via":"sms"}}`)
		}, nil, []string{"trait-code-identifier"},
	},
	"an identifier that is no address": {
		func(v *doctor.Evidence) {
			v.Realms[0].RemovalDenied = true
			v.Live.Kratos["PRIMARY"] = schema(`{"credentials":{"code":{"identifier":true}}}`)
		}, nil, []string{"trait-code-identifier", "trait-not-verifiable"},
	},
	"a number that Kratos checks": {
		func(e *doctor.Evidence) {
			e.Live.Kratos["PRIMARY"] = schema(`{"verification":{"via":"sms"}},"format":"tel"`)
		}, nil, []string{"trait-format-tel"},
	},
	"a plain trait, and sign-ins of any age": {
		func(v *doctor.Evidence) {
			v.Realms[0].SessionAge = 0
			v.Live.Kratos["PRIMARY"] = schema(`{}`)
		}, nil, []string{"session-age-differs", "sign-in-age-unasked", "trait-not-verifiable"},
	},
	"a user name, and sign-ins of any age": {
		func(v *doctor.Evidence) {
			v.Realms[0].SessionAge = 0
			v.Live.Kratos["PRIMARY"] = schema(`{"credentials":{"password":{"identifier":true}}}`)
		}, nil, []string{"session-age-differs", "trait-not-verifiable"},
	},
	"a running Kratos without the trait": {
		func(v *doctor.Evidence) {
			v.Live.Kratos["PRIMARY"] = doctor.Kratos{Version: "v1.3.1", Schemas: map[string]map[string]any{"verified": {}}}
		}, []string{"trait-missing"}, nil,
	},
}

// schema is a Kratos whose only schema has the trait with an extension of Kratos'.
func schema(extension string) doctor.Kratos {
	var document map[string]any
	text := `{"properties":{"traits":{"properties":{"mobile":{"ory.sh/kratos":` + extension + `}}}}}`
	if err := json.Unmarshal([]byte(text), &document); err != nil {
		panic(err)
	}
	return doctor.Kratos{Version: "v1.3.1", Schemas: map[string]map[string]any{"person": document}}
}

func clock(version string, ahead time.Duration) doctor.Kratos {
	return doctor.Kratos{Version: version, Ahead: &ahead}
}

func TestWhatIsSeenOfServersAndSettingsIsNamed(t *testing.T) {
	for name, tt := range changes {
		t.Run(name, func(t *testing.T) {
			v := well(t)
			tt.change(&v)
			found := doctor.Examine(v)
			if got := ids(found, doctor.Failure); !slices.Equal(got, tt.finds) {
				t.Errorf("failures %v, want %v", got, tt.finds)
			}
			if got := ids(found, doctor.Warning); !slices.Equal(got, tt.warns) {
				t.Errorf("warnings %v, want %v", got, tt.warns)
			}
		})
	}
}

// Every rule is broken by some test, so none can be added that finds nothing.
func TestEveryRuleIsTried(t *testing.T) {
	var tried []string
	for _, f := range faults(t, "faults") {
		tried = append(append(tried, f.Finds...), f.Warns...)
	}
	for _, c := range changes {
		tried = append(append(tried, c.finds...), c.warns...)
	}
	for _, c := range trials {
		tried = append(append(tried, c.finds...), c.warns...)
	}
	var known []string
	for _, rule := range doctor.Rules() {
		known = append(known, rule.ID)
		if !slices.Contains(tried, rule.ID) {
			t.Errorf("no test breaks %s", rule.ID)
		}
	}
	for _, id := range tried {
		if !slices.Contains(known, id) {
			t.Errorf("Rules does not list %s", id)
		}
	}
	slices.Sort(known)
	if len(slices.Compact(slices.Clone(known))) != len(known) {
		t.Errorf("a rule has the name of another: %v", known)
	}
}

// Names are looked up where the command runs.
func TestANameThatLeadsToAPrivateAddressIsSeen(t *testing.T) {
	tree := good(t)
	edit{Set: "clients.http.disallow_private_ip_ranges", To: true}.apply(t, tree, "")
	v := well(t)
	r := &v.Realms[0]
	r.Hook.BaseURL = "http://holdline.internal:4478"
	printed, err := hook.KratosConfig(r.Hook)
	if err != nil {
		t.Fatal(err)
	}
	maps.Merge(parse(t, printed), tree)
	r.File = kratosYML(t, fill(t, t.TempDir(), tree))
	for address, want := range map[string][]string{"10.1.2.3": {"hook-private-address"}, "203.0.113.7": nil} {
		v.Live.Kratos["PRIMARY"] = doctor.Kratos{
			Version: "v1.3.1", HookAddresses: map[string][]string{"holdline.internal": {address}},
		}
		if got := ids(doctor.Examine(v), doctor.Failure); !slices.Equal(got, want) {
			t.Errorf("%s: failures %v, want %v", address, got, want)
		}
	}
}

func TestRealmsAreNamedWhereThereAreSeveral(t *testing.T) {
	v := well(t)
	employees := staff()
	employees.File = v.Realms[0].File // which is the customers'
	v.Realms = append(v.Realms, employees)
	v.Live.Kratos["STAFF"] = doctor.Kratos{Version: "v1.3.1"}
	found := doctor.Examine(v)
	if got := ids(found, doctor.Failure); !slices.Equal(got, []string{"hook-key-differs"}) {
		t.Fatalf("failures %v", got)
	}
	for _, f := range found {
		if f.Realm != "STAFF" {
			t.Errorf("%s is of realm %q", f.ID, f.Realm)
		}
	}
}

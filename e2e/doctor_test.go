package e2e_test

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/holdline/holdline/e2e/harness"
)

// careful is what an operator sets beside what the tests' Kratos has, so that the
// doctor finds nothing.
var careful = harness.Overlay{
	"identity": harness.Overlay{"schemas": []harness.Overlay{{"id": "verified", "url": "file://./free.schema.json"}}},
	"log":      harness.Overlay{"level": "warning"},
}

// always has numbers from SCIM verified whatever a request says, and stops the texts
// to a country whose codes do not come back.
var always = harness.Overlay{
	"identity_mgt": harness.Overlay{"user_claim_update": harness.Overlay{"use_verify_claim": false}},
	"traffic":      harness.Overlay{"mode": "enforce"},
	"public":       harness.Overlay{"http_basic": false},
}

// wantDiagnosis checks which failures were found, and that there were no others.
func wantDiagnosis(t *testing.T, got harness.Diagnosis, failures ...string) {
	t.Helper()
	exit := min(len(failures), 1)
	if !slices.Equal(got.Failures, failures) || got.Exit != exit {
		t.Errorf("found %v, exit %d; want %v, %d\n%s", got.Failures, got.Exit, failures, exit, got.Printed)
	}
}

// notDurable is said of the tests' servers: what is kept there need not outlive the machine.
const notDurable = "database-not-durable"

// warnings are those that were found beside that.
func warnings(d harness.Diagnosis) []string {
	return slices.DeleteFunc(slices.Clone(d.Warnings), func(id string) bool { return id == notDurable })
}

func TestTheDoctorFindsNothingInASoundSetUp(t *testing.T) {
	t.Parallel()
	s := harness.NewStack(t, harness.Options{Holdline: always, Kratos: careful})
	if got := s.Doctor(t); !slices.Equal(got.Warnings, []string{notDurable}) {
		t.Errorf("warnings: %s", got.Printed)
	}
	file := "sqlite://" + filepath.Join(t.TempDir(), "holdline.db")
	s.Command(t, "migrate", "up", "--database-dsn", file)
	got := s.Doctor(t, "--strict", "--database-dsn", file)
	wantDiagnosis(t, got)
	if len(got.Warnings) > 0 {
		t.Errorf("warnings: %s", got.Printed)
	}
	wantDiagnosis(t, s.Doctor(t, "--offline", "--strict"))
	if texts := len(s.Provider.Texts("")); texts != 0 {
		t.Errorf("%d texts were sent", texts)
	}
}

// profileHooks returns where Kratos' hooks of profiles stand, and the list.
func profileHooks(t *testing.T, config harness.Overlay) (profile harness.Overlay, hooks []any) {
	t.Helper()
	var at any = config
	for _, step := range []string{"selfservice", "flows", "settings", "after", "profile"} {
		at = at.(harness.Overlay)[step]
	}
	profile = at.(harness.Overlay)
	return profile, slices.Clone(profile["hooks"].([]any))
}

// settingsAfter returns what is above the profile.
func settingsAfter(config harness.Overlay) harness.Overlay {
	flows := config["selfservice"].(harness.Overlay)["flows"].(harness.Overlay)
	return flows["settings"].(harness.Overlay)["after"].(harness.Overlay)
}

// hookConfig returns a copy of a hook with other settings laid over its own.
func hookConfig(hook any, over harness.Overlay) harness.Overlay {
	copied := harness.Overlay{"hook": "web_hook", "config": harness.Overlay{}}
	config := copied["config"].(harness.Overlay)
	for key, value := range hook.(harness.Overlay)["config"].(harness.Overlay) {
		config[key] = value
	}
	for key, value := range over {
		config[key] = value
	}
	return copied
}

// What the doctor says of a kratos.yml is true of a real Kratos: where it fails
// open, a number changes without a code; where it does not work, none changes.
func TestWhatTheDoctorSaysIsTrue(t *testing.T) {
	t.Parallel()
	s := harness.NewStack(t, harness.Options{Holdline: always, Kratos: careful})
	const (
		throughKratos = "stored without a code"
		refused       = "refused"
		held          = "held back"
		unmarked      = "held back, and the old one is not marked verified any more"
	)
	var sound harness.Overlay
	s.Kratos.Reconfigure(t, func(config harness.Overlay) { sound = copyOf(t, config) })
	for _, tt := range []struct {
		what     string
		edit     func(t *testing.T, config harness.Overlay)
		failures []string
		warnings []string
		outcome  string
	}{
		{"nothing wrong", func(*testing.T, harness.Overlay) {}, nil, nil, held},
		{"hooks in the global list", func(t *testing.T, config harness.Overlay) {
			profile, hooks := profileHooks(t, config)
			delete(profile, "hooks")
			settingsAfter(config)["hooks"] = hooks
		}, []string{"parse-hook-global"}, nil, throughKratos},
		{"no parse", func(t *testing.T, config harness.Overlay) {
			profile, hooks := profileHooks(t, config)
			hooks[0] = hookConfig(hooks[0], harness.Overlay{"response": harness.Overlay{}})
			profile["hooks"] = hooks
		}, []string{"stage-hook-not-parsed"}, nil, throughKratos},
		{"can_interrupt in place of parse", func(t *testing.T, config harness.Overlay) {
			profile, hooks := profileHooks(t, config)
			hooks[0] = hookConfig(hooks[0], harness.Overlay{"response": harness.Overlay{}, "can_interrupt": true})
			profile["hooks"] = hooks
		}, []string{"stage-hook-can-interrupt"}, nil, throughKratos},
		{"no hooks", func(t *testing.T, config harness.Overlay) {
			profile, _ := profileHooks(t, config)
			delete(profile, "hooks")
		}, []string{"stage-hook-missing"}, nil, throughKratos},
		{"jsonnet that cancels", func(t *testing.T, config harness.Overlay) {
			profile, hooks := profileHooks(t, config)
			hooks[0] = hookConfig(hooks[0], harness.Overlay{"body": "base64://ZnVuY3Rpb24oY3R4KSBlcnJvciAnY2FuY2VsJw=="}) // function(ctx) error 'cancel'
			profile["hooks"] = hooks
		}, []string{"jsonnet-cancels"}, nil, throughKratos},
		{"jsonnet without addresses", func(t *testing.T, config harness.Overlay) {
			profile, hooks := profileHooks(t, config)
			body := hooks[0].(harness.Overlay)["config"].(harness.Overlay)["body"].(string)
			source, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(body, "base64://"))
			if err != nil {
				t.Fatal(err)
			}
			edited := strings.Replace(string(source), "verifiable_addresses: opt(before, 'verifiable_addresses', []),", "", 1)
			hooks[0] = hookConfig(hooks[0], harness.Overlay{"body": "base64://" + base64.StdEncoding.EncodeToString([]byte(edited))})
			profile["hooks"] = hooks
		}, []string{"jsonnet-without-addresses"}, nil, unmarked},
		{"activate first", func(t *testing.T, config harness.Overlay) {
			profile, hooks := profileHooks(t, config)
			hooks[0], hooks[1] = hooks[1], hooks[0]
			profile["hooks"] = hooks
		}, nil, []string{"hook-order"}, held},
		{"the public listener", func(t *testing.T, config harness.Overlay) {
			profile, hooks := profileHooks(t, config)
			hooks[0] = hookConfig(hooks[0], harness.Overlay{"url": s.Holdline.PublicURL + "/hooks/settings/stage"})
			profile["hooks"] = hooks
		}, []string{"hook-url"}, nil, refused},
		{"another key", func(t *testing.T, config harness.Overlay) {
			profile, hooks := profileHooks(t, config)
			auth := harness.Overlay{"type": "api_key", "config": harness.Overlay{"name": "X-Hook-Key", "value": "wrong", "in": "header"}}
			hooks[0] = hookConfig(hooks[0], harness.Overlay{"auth": auth})
			profile["hooks"] = hooks
		}, []string{"hook-key-differs"}, nil, refused},
		{"private addresses", func(_ *testing.T, config harness.Overlay) {
			config["clients"] = harness.Overlay{"http": harness.Overlay{"disallow_private_ip_ranges": true}}
		}, []string{"hook-private-address"}, nil, refused},
		{"private addresses, allowed by a pattern", func(_ *testing.T, config harness.Overlay) {
			config["clients"] = harness.Overlay{"http": harness.Overlay{
				"disallow_private_ip_ranges": true, "private_ip_exception_urls": []string{s.Hooks.URL + "/hooks/**"},
			}}
		}, nil, nil, held},
	} {
		t.Run(tt.what, func(t *testing.T) {
			s.Kratos.Reconfigure(t, func(config harness.Overlay) {
				clear(config)
				for key, value := range copyOf(t, sound) {
					config[key] = value
				}
				tt.edit(t, config)
			})
			got := s.Doctor(t)
			wantDiagnosis(t, got, tt.failures...)
			if warned := warnings(got); !slices.Equal(warned, tt.warnings) {
				t.Errorf("warnings %v, want %v", warned, tt.warnings)
			}

			someone := s.NewPerson(t, m0)
			defer someone.Delete(t)
			saved := someone.Save(t, harness.Profile{Name: "After", Mobile: m1})
			now := someone.Identity(t)
			outcome := fmt.Sprintf("status %d, number %s, pending %q", saved.Status, now.Traits.Mobile, now.Pending())
			switch {
			case now.Traits.Mobile == m1:
				outcome = throughKratos
			case saved.Status == http.StatusOK && now.Pending() == m1 && !now.MobileVerified():
				outcome = unmarked
			case saved.Status == http.StatusOK && now.Pending() == m1:
				outcome = held
			case saved.Status != http.StatusOK && now.Pending() == "":
				outcome = refused
			}
			if outcome != tt.outcome {
				t.Errorf("a change of number is %s; want %s\n%s", outcome, tt.outcome, saved.Body)
			}
		})
	}
}

// copyOf is a document of its own.
func copyOf(t *testing.T, document harness.Overlay) harness.Overlay {
	t.Helper()
	text, err := json.Marshal(document)
	if err != nil {
		t.Fatal(err)
	}
	var copied harness.Overlay
	if err := json.Unmarshal(text, &copied); err != nil {
		t.Fatal(err)
	}
	return copied
}

func TestTheDoctorNamesServersThatAreAway(t *testing.T) {
	t.Parallel()
	server := harness.OwnMariaDB(t)
	s := harness.NewStack(t, harness.Options{Holdline: always, Kratos: careful, Server: server})
	empty := server.NewDatabase(t)
	wantDiagnosis(t, s.Doctor(t, "--database-dsn", empty.DSN, "--database-auto-migrate=false"), "database-schema-outdated")
	wantDiagnosis(t, s.Doctor(t, "--enable-verification=false"), "verification-off")
	for _, statement := range []string{"read_only = 1", "max_connections = 31", "wait_timeout = 120", "innodb_flush_log_at_trx_commit = 0"} {
		server.Exec(t, "SET GLOBAL "+statement)
	}
	poor := s.Doctor(t)
	wantDiagnosis(t, poor, "database-read-only")
	if want := []string{"database-connections", "database-idle-timeout", notDurable}; !slices.Equal(poor.Warnings, want) ||
		!strings.Contains(poor.Printed, "innodb_flush_log_at_trx_commit is 0 and should be 1") {
		t.Errorf("warnings %v, want %v\n%s", poor.Warnings, want, poor.Printed)
	}
	for _, statement := range []string{"read_only = 0", "max_connections = 500", "wait_timeout = 28800", "innodb_flush_log_at_trx_commit = 1"} {
		server.Exec(t, "SET GLOBAL "+statement)
	}
	// Nobody has told Kratos or the running Holdline of this key.
	wantDiagnosis(t, s.Doctor(t, "--hooks-api-key", "another key, which is long enough"), "hook-key-differs", "hook-key-refused")
	wantDiagnosis(t, s.Doctor(t, "--admin-port", "0"))

	vonage := vonageAccount(t)
	gateway := func(secret string) string {
		return fmt.Sprintf(`[{"id":"v","type":"vonage","api_key":"key","api_secret":%q,"from":"Holdline","endpoint":"%s/sms/json"}]`, secret, vonage.URL)
	}
	wantDiagnosis(t, s.Doctor(t, "--sms-gateways", gateway("right")))
	wantDiagnosis(t, s.Doctor(t, "--sms-gateways", gateway("wrong")), "gateway-refuses")
	s.Provider.Down()
	wantDiagnosis(t, s.Doctor(t), "gateway-unreachable")
	wantDiagnosis(t, s.Doctor(t, "--offline"))
	s.Provider.Up()

	server.Stop(t)
	wantDiagnosis(t, s.Doctor(t), "database-unreachable")
	server.Start(t)
	s.Kratos.Kill()
	wantDiagnosis(t, s.Doctor(t), "kratos-unreachable")
	s.Kratos.Start(t)
	s.Holdline.Stop(t)
	wantDiagnosis(t, s.Doctor(t), "holdline-unreachable")
	s.Holdline.Start(t)
	wantDiagnosis(t, s.Doctor(t))
}

// vonageAccount answers as Vonage does who asks for the balance. Nothing else may
// be asked.
func vonageAccount(t *testing.T) *httptest.Server {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet || r.URL.Path != "/account/get-balance" {
			t.Errorf("asked %s %s", r.Method, r.URL)
		}
		if _, secret, _ := r.BasicAuth(); secret != "right" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		_, _ = w.Write([]byte(`{"value":10.28,"autoReload":false}`))
	}))
	t.Cleanup(server.Close)
	return server
}

func TestTheDoctorSeesWhatIsReachableByAnybody(t *testing.T) {
	t.Parallel()
	s := harness.NewStack(t, harness.Options{Holdline: always})
	// The other tests' Kratos has a schema with the number as a way to sign in, which
	// fails where people may remove theirs, and a log that shows all: warnings, which
	// fail nothing.
	wantDiagnosis(t, s.Doctor(t), "removed-number-signs-in")
	deny := []string{"--identity-mgt-user-claim-update-mobile-removal", "deny"}
	plain := s.Doctor(t, deny...)
	wantDiagnosis(t, plain)
	if want := []string{"hook-key-logged", "trait-code-identifier", "trait-format-tel"}; !slices.Equal(warnings(plain), want) {
		t.Errorf("warnings %v, want %v", plain.Warnings, want)
	}
	if strict := s.Doctor(t, append(deny, "--strict")...); strict.Exit != 1 {
		t.Errorf("exit %d where warnings fail", strict.Exit)
	}
	for _, tt := range []struct{ flag, value, want string }{
		// As if a proxy passed everything on to the wrong listener.
		{"--public-base-url", s.Holdline.AdminURL, "admin-listener-public"},
		{"--kratos-browser-url", s.Kratos.AdminURL, "kratos-admin-public"},
	} {
		if got := s.Doctor(t, tt.flag, tt.value); !slices.Contains(got.Failures, tt.want) || got.Exit != 1 {
			t.Errorf("%s %s: found %v\n%s", tt.flag, tt.value, got.Failures, got.Printed)
		}
	}
}

// The program that serves says what it sees by itself, once.
func TestServeSaysWhatTheDoctorFinds(t *testing.T) {
	t.Parallel()
	s := harness.NewStack(t, harness.Options{Holdline: harness.Overlay{
		"secrets": harness.Overlay{"otp": []string{"…at least 32 random characters…", "e2e secret of at least 32 characters"}},
	}})
	before := len(s.Holdline.Output.String())
	s.Holdline.Restart(t) // Kratos answers by now
	findings := []string{
		`"finding":"secret-weak"`, `"finding":"scim-without-code"`, `"finding":"texts-to-all-countries"`, `"finding":"http-basic-on"`, // of its own configuration
		`"finding":"removed-number-signs-in"`, `"finding":"trait-code-identifier"`, `"finding":"trait-format-tel"`, // of Kratos' schemas
	}
	harness.Eventually(t, "serve says it", func() error {
		if said := s.Holdline.Output.Since(before); !hasEach(said, findings) {
			return errNotYetWith(said)
		}
		return nil
	})
	s.Holdline.Stop(t) // what is said by then is all
	said := s.Holdline.Output.Since(before)
	for _, finding := range findings {
		if n := strings.Count(said, finding); n != 1 {
			t.Errorf("%s is said %d times", finding, n)
		}
	}
	if n := strings.Count(said, `"finding":`); n != len(findings) {
		t.Errorf("%d findings are said:\n%s", n, said)
	}
}

// hasEach reports whether a text has all the parts.
func hasEach(text string, parts []string) bool {
	return !slices.ContainsFunc(parts, func(part string) bool { return !strings.Contains(text, part) })
}

// A test text goes out by a real gateway, and what is printed has neither the whole
// number nor a secret.
func TestTheDoctorSendsATestText(t *testing.T) {
	t.Parallel()
	s := harness.NewStack(t, harness.Options{Gateway: harness.Overlay{"request_config": harness.Overlay{"headers": harness.Overlay{"X-Api-Key": "q9-secret-of-the-provider"}}}})
	const number = "+447400123456"
	printed := s.Command(t, "doctor", "--send-test", number, "--gateway", "provider")
	wantTexts(t, s, number, 1)
	if !strings.Contains(printed, "sent") || !strings.Contains(printed, "X-Api-Key") || strings.Contains(printed, number[3:]) || strings.Contains(printed, "q9-secret") {
		t.Errorf("printed %s", printed)
	}
	_, err := s.TryCommand("doctor", "--send-test", number, "--gateway", "none")
	if exit, ok := errors.AsType[*exec.ExitError](err); !ok || exit.ExitCode() != 2 {
		t.Errorf("a gateway that is not there: %v", err)
	}
}

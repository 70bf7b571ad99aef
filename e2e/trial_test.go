package e2e_test

import (
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/holdline/holdline/e2e/harness"
)

// trialEmail is what an identity of a trial signs in by.
const trialEmail = "holdline-doctor@example.com"

// wantNobody checks that no identity of a trial is left.
func wantNobody(t *testing.T, s *harness.Stack) {
	t.Helper()
	answer := harness.Send(t, http.MethodGet, s.Kratos.AdminURL+"/admin/identities?credentials_identifier="+url.QueryEscape(trialEmail), "")
	if strings.TrimSpace(answer.Body) != "[]" {
		t.Errorf("an identity is left: %s", answer.Body)
	}
}

// wantNoText checks that nobody was texted, and that no text waits.
func wantNoText(t *testing.T, s *harness.Stack) {
	t.Helper()
	if texts := len(s.Provider.Texts("")); texts != 0 {
		t.Errorf("%d texts were sent", texts)
	}
	if n := s.Database.Count(t, "texts", "1 = 1"); n != 0 {
		t.Errorf("%d texts are queued, or count for limits", n)
	}
}

// fileOf writes a configuration of Kratos' to a file of its own.
func fileOf(t *testing.T, config harness.Overlay) string {
	t.Helper()
	content, err := yaml.Marshal(config)
	if err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(t.TempDir(), "kratos.yml")
	if err := os.WriteFile(name, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// The files are sound: what is wrong is what the running Kratos does.
func TestATrialShowsWhatTheRunningKratosDoes(t *testing.T) {
	t.Parallel()
	s := harness.NewStack(t, harness.Options{Holdline: always, Kratos: careful})
	var sound harness.Overlay
	s.Kratos.Reconfigure(t, func(config harness.Overlay) { sound = copyOf(t, config) })
	file := fileOf(t, sound)
	elsewhere := s.ReplicaOf(t, "", harness.Overlay{
		"database": harness.Overlay{"dsn": "sqlite://" + filepath.Join(t.TempDir(), "other.db")},
	})
	stage := func(t *testing.T, config harness.Overlay, over harness.Overlay) {
		t.Helper()
		profile, hooks := profileHooks(t, config)
		hooks[0] = hookConfig(hooks[0], over)
		profile["hooks"] = hooks
	}
	for _, tt := range []struct {
		what     string
		edit     func(t *testing.T, config harness.Overlay)
		flags    []string
		failures []string
		says     string
	}{
		{"nothing is wrong", func(*testing.T, harness.Overlay) {}, nil, nil, `"held": true`},
		{"it runs without our lines", func(t *testing.T, config harness.Overlay) {
			profile, _ := profileHooks(t, config)
			delete(profile, "hooks")
		}, nil, []string{"try-written-at-once"}, "No call of the stage hook came to this Holdline."},
		{"it does not heed the answer", func(t *testing.T, config harness.Overlay) {
			stage(t, config, harness.Overlay{"response": harness.Overlay{}})
		}, nil, []string{"try-written-at-once"}, "Its answer was not heeded."},
		{"it calls with another key", func(t *testing.T, config harness.Overlay) {
			auth := harness.Overlay{"type": "api_key", "config": harness.Overlay{"name": "X-Hook-Key", "value": "wrong", "in": "header"}}
			stage(t, config, harness.Overlay{"auth": auth})
		}, nil, []string{"try-refused"}, "No call of the stage hook came to this Holdline."},
		{"its hook fails", func(t *testing.T, config harness.Overlay) {
			stage(t, config, harness.Overlay{"url": s.Holdline.PublicURL + "/hooks/settings/stage"})
		}, nil, []string{"try-refused"}, "It says: "},
		{"it calls another Holdline", func(t *testing.T, config harness.Overlay) {
			stage(t, config, harness.Overlay{"url": elsewhere.AdminURL + "/hooks/settings/stage"})
		}, nil, []string{"try-other-holdline"}, "No call of the stage hook came to this Holdline."},
		{"it never calls after the form", func(t *testing.T, config harness.Overlay) {
			profile, hooks := profileHooks(t, config)
			profile["hooks"] = []any{hooks[0]}
		}, nil, []string{"try-not-activated"}, s.Hooks.URL + "/hooks/settings/activate"},
		{
			"its schema lacks the trait", func(*testing.T, harness.Overlay) {},
			[]string{"--kratos-mobile-trait", "telephone"},
			[]string{"trait-missing"},
			"the trait telephone",
		},
	} {
		t.Run(tt.what, func(t *testing.T) {
			s.Kratos.Reconfigure(t, func(config harness.Overlay) {
				clear(config)
				for key, value := range copyOf(t, sound) {
					config[key] = value
				}
				tt.edit(t, config)
			})
			got := s.Doctor(t, slices.Concat([]string{"--try", "--kratos-config", file}, tt.flags)...)
			for _, id := range tt.failures {
				if !slices.Contains(got.Failures, id) {
					t.Errorf("%s is not found", id)
				}
			}
			if got.Exit != min(len(tt.failures), 1) || !strings.Contains(got.Printed, tt.says) || t.Failed() {
				t.Errorf("exit %d, found %v\n%s", got.Exit, got.Failures, got.Printed)
			}
			wantNobody(t, s)
			wantNoText(t, s)
		})
	}
	for _, line := range strings.Split(s.Holdline.Output.String(), "\n") {
		if strings.Contains(line, "/hooks/") && strings.Contains(line, "refused") && !strings.Contains(line, `"doctor":true`) {
			t.Errorf("a look of the doctor is logged as somebody's: %s", line)
		}
	}
}

func TestWhatATrialMadeIsDeletedWhateverHappens(t *testing.T) {
	t.Parallel()
	s := harness.NewStack(t, harness.Options{Holdline: always, Kratos: careful})
	run := func(t *testing.T, flags ...string) harness.Diagnosis {
		t.Helper()
		return s.Doctor(t, append([]string{"--try"}, flags...)...)
	}
	for _, tt := range []struct {
		what    string
		proxy   *harness.Proxy
		rule    harness.Rule
		signals bool // SIGINT comes when the rule's request does
		flags   []string
	}{
		{"the identity is made and Kratos' answer lost", s.KratosAdmin, harness.Rule{Method: http.MethodPost, Path: "/admin/identities", DropAnswer: true, Times: 1}, false, nil},
		{"Kratos does not sign in", s.KratosPublic, harness.Rule{Method: http.MethodPost, Path: "/self-service/login", Status: http.StatusServiceUnavailable, Times: 1}, false, nil},
		{"the form's answer is lost", s.KratosPublic, harness.Rule{Method: http.MethodPost, Path: "/self-service/settings", DropAnswer: true, Times: 1}, false, nil},
		{"the first deletion fails", s.KratosAdmin, harness.Rule{Method: http.MethodDelete, Path: "/admin/identities", Status: http.StatusInternalServerError, Times: 1}, false, nil},
		{"Ctrl-C while it is made", s.KratosAdmin, harness.Rule{Method: http.MethodPost, Path: "/admin/identities", Times: 1}, true, nil},
		{"Ctrl-C at the sign-in", s.KratosPublic, harness.Rule{Method: http.MethodPost, Path: "/self-service/login", Times: 1}, true, nil},
		{"Ctrl-C while Kratos stores the form", s.KratosPublic, harness.Rule{Method: http.MethodPost, Path: "/self-service/settings", Times: 1}, true, nil},
	} {
		t.Run(tt.what, func(t *testing.T) {
			defer tt.proxy.Heal()
			if !tt.signals {
				tt.proxy.On(tt.rule)
				got := run(t, tt.flags...)
				if failed := tt.what != "the first deletion fails"; failed != (got.Exit == 2) {
					t.Errorf("exit %d\n%s", got.Exit, got.Printed)
				}
				wantNobody(t, s)
				return
			}
			doctor := s.StartDoctor(t, "--try")
			tt.rule.Before = doctor.Interrupt
			tt.proxy.On(tt.rule)
			exit, printed := doctor.Wait(t)
			if exit != 2 || !strings.Contains(printed, "interrupt signal received") {
				t.Errorf("exit %d\n%s", exit, printed)
			}
			wantNobody(t, s)
		})
	}
	wantNoText(t, s)

	// Killed, it can delete nothing: the next run waits as long as it may be another
	// doctor's, and then tidies up.
	doctor := s.StartDoctor(t, "--try")
	s.KratosPublic.On(harness.Rule{Method: http.MethodPost, Path: "/self-service/settings", Times: 1, Before: doctor.Kill})
	_, _ = doctor.Wait(t)
	s.KratosPublic.Heal()
	id := wantSomebody(t, s)
	age(t, s, id)
	got := run(t)
	if got.Exit != 0 || !strings.Contains(got.Printed, id) {
		t.Errorf("exit %d, of %s\n%s", got.Exit, id, got.Printed)
	}
	wantNobody(t, s)
	wantNoText(t, s)
	// A person who happens to have the address is not the doctor's to delete.
	person := harness.Send(t, http.MethodPost, s.Kratos.AdminURL+"/admin/identities",
		`{"schema_id":"verified","traits":{"email":"`+trialEmail+`"}}`, harness.Header{"Content-Type", "application/json"})
	if got := run(t); got.Exit != 2 || !strings.Contains(got.Printed, "--try-traits") {
		t.Errorf("exit %d\n%s", got.Exit, got.Printed)
	}
	if left := wantSomebody(t, s); !strings.Contains(person.Body, left) {
		t.Errorf("%s was deleted", person.Body)
	}
	traits := filepath.Join(t.TempDir(), "traits.yml")
	if err := os.WriteFile(traits, []byte("email: another-doctor@example.com\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	wantDiagnosis(t, run(t, "--try-traits", traits))
}

// wantSomebody returns the id of who has the trial's address.
func wantSomebody(t *testing.T, s *harness.Stack) string {
	t.Helper()
	var found []struct{ ID string }
	harness.Send(t, http.MethodGet, s.Kratos.AdminURL+"/admin/identities?credentials_identifier="+url.QueryEscape(trialEmail), "").JSON(t, &found)
	if len(found) != 1 {
		t.Fatalf("%d identities have the trial's address", len(found))
	}
	return found[0].ID
}

// age makes an identity of a trial one of yesterday.
func age(t *testing.T, s *harness.Stack, id string) {
	t.Helper()
	answer := harness.Send(t, http.MethodPatch, s.Kratos.AdminURL+"/admin/identities/"+id,
		`[{"op":"replace","path":"/metadata_admin/holdline_doctor/began","value":"2026-01-02T03:04:05Z"}]`, harness.Header{"Content-Type", "application/json"})
	if answer.Status != http.StatusOK {
		t.Fatalf("%d: %s", answer.Status, answer.Body)
	}
}

package kratos_test

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/holdline/holdline/internal/auth"
	"github.com/holdline/holdline/internal/claim"
	"github.com/holdline/holdline/internal/kratostest"
)

// settings is a form of Kratos' own.
type settings struct {
	UI struct {
		Action string
		Nodes  []struct {
			Attributes struct {
				ID   string
				Text struct{ Text string }
			}
		}
	}
}

func (s *server) settings(t *testing.T, token string) settings {
	t.Helper()
	var form settings
	sendAs(t, "X-Session-Token: "+token, http.MethodGet, s.public+"/self-service/settings/api", nil, &form)
	return form
}

// addTOTP gives a person an authenticator, whose secret it returns.
func (s *server) addTOTP(t *testing.T, token string) string {
	t.Helper()
	form, secret := s.settings(t, token), ""
	for _, node := range form.UI.Nodes {
		if node.Attributes.ID == "totp_secret_key" {
			secret = node.Attributes.Text.Text
		}
	}
	sendAs(t, "X-Session-Token: "+token, http.MethodPost, form.UI.Action, map[string]any{"method": "totp", "totp_code": kratostest.TOTP(t, secret, time.Now())}, nil)
	return secret
}

// addLookupSecrets gives a person recovery codes.
func (s *server) addLookupSecrets(t *testing.T, token string) {
	t.Helper()
	form := s.settings(t, token)
	for _, step := range []string{"lookup_secret_regenerate", "lookup_secret_confirm"} {
		sendAs(t, "X-Session-Token: "+token, http.MethodPost, form.UI.Action, map[string]any{"method": "lookup_secret", step: true}, nil)
	}
}

// addKey gives a person a WebAuthn key.
func (s *server) addKey(t *testing.T, id string, passwordless bool) {
	t.Helper()
	send(t, http.MethodPatch, s.admin+"/admin/identities/"+id, []any{operation("add", "/credentials/webauthn", map[string]any{
		"type": "webauthn", "identifiers": []string{id}, "config": map[string]any{"user_handle": "Ef5JiMpMRwuzauWs/9J0gQ==", "credentials": []any{map[string]any{
			"id": "THTndqZP5Mjvae1BFvJMaMfEMm7O7HE1ju+7PBaYA7Y=", "attestation_type": "none", "display_name": "key",
			"added_at": "2022-12-16T14:11:55Z", "is_passwordless": passwordless, "authenticator": map[string]any{"aaguid": "rc4AAjW8xgpkiwsl8fBVAw=="},
			"public_key": "pQECAyYgASFYIMJLQhJxQRzhnKPTcPCUODOmxYDYo2obrm9bhp5lvSZ3IlggXjhZvJaPUqF9PXqZqTdWYPR7R+b2n/Wi+IxKKXsS4rU=",
		}}},
	})}, nil)
}

// second makes a session one of two factors.
func (s *server) second(t *testing.T, token, secret string) {
	t.Helper()
	var form settings
	sendAs(t, "X-Session-Token: "+token, http.MethodGet, s.public+"/self-service/login/api?aal=aal2", nil, &form)
	sendAs(t, "X-Session-Token: "+token, http.MethodPost, form.UI.Action, map[string]any{"method": "totp", "totp_code": kratostest.TOTP(t, secret, time.Now())}, nil)
}

func addTOTP(t *testing.T, _, token string) {
	t.Helper()
	shared.addTOTP(t, token)
}

func addLookupSecrets(t *testing.T, _, token string) {
	t.Helper()
	shared.addLookupSecrets(t, token)
}

func addKey(t *testing.T, id, _ string) {
	t.Helper()
	shared.addKey(t, id, false)
}

func addPasskey(t *testing.T, id, _ string) {
	t.Helper()
	shared.addKey(t, id, true)
}

// What a person has beside the password is known by a session of the password
// alone, and by the password itself, also when it is remembered.
func TestSecondFactorsAreKnown(t *testing.T) {
	requireKratos(t)
	for name, tt := range map[string]struct {
		add  func(t *testing.T, id, token string)
		want []string
	}{
		"none":                 {func(*testing.T, string, string) {}, nil},
		"an authenticator":     {addTOTP, []string{"totp"}},
		"recovery codes":       {addLookupSecrets, []string{"lookup_secret"}},
		"a key":                {addKey, []string{"webauthn"}},
		"a key for signing in": {addPasskey, nil},
		"an authenticator, key": {func(t *testing.T, id, token string) {
			t.Helper()
			addTOTP(t, id, token)
			addKey(t, id, token)
		}, []string{"totp", "webauthn"}},
		"an authenticator that was taken away": {func(t *testing.T, _, token string) {
			t.Helper()
			shared.addTOTP(t, token)
			form := shared.settings(t, token)
			sendAs(t, "X-Session-Token: "+token, http.MethodPost, form.UI.Action, map[string]any{"method": "totp", "totp_unlink": true}, nil)
		}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			p := person{email: email(), password: "correct horse"}
			id := shared.add(t, p)
			d := open(t, shared, nil)
			wantFactors := func(what string, who claim.Caller, err error, want []string) {
				t.Helper()
				if err != nil || who.Assurance != claim.AAL1 {
					t.Fatalf("%s: got %q, %v", what, who.Assurance, err)
				}
				if got, err := who.Factors(t.Context()); err != nil || !slices.Equal(got, want) {
					t.Errorf("%s: got %v, %v, want %v", what, got, err, want)
				}
			}
			before, err := d.Login(t.Context(), p.email, p.password)
			wantFactors("password, before", before, err, nil)
			tt.add(t, id, shared.signIn(t, p.email, p.password))
			session, err := d.Session(t.Context(), "", shared.signIn(t, p.email, p.password))
			wantFactors("session token", session, err, tt.want)
			browser, err := d.Session(t.Context(), browse(t, p), "")
			wantFactors("cookie", browser, err, tt.want)
			for _, what := range []string{"password", "password, remembered"} {
				basic, err := d.Login(t.Context(), p.email, p.password)
				wantFactors(what, basic, err, tt.want)
			}
		})
	}
}

func TestASessionOfTwoFactorsIsKnown(t *testing.T) {
	requireKratos(t)
	p := person{email: email(), password: "correct horse"}
	shared.add(t, p)
	secret := shared.addTOTP(t, shared.signIn(t, p.email, p.password))
	token := shared.signIn(t, p.email, p.password)
	d := open(t, shared, nil)
	for _, want := range []claim.Assurance{claim.AAL1, claim.AAL2} {
		if who, err := d.Session(t.Context(), "", token); err != nil || who.Assurance != want {
			t.Errorf("got %q, %v, want %q", who.Assurance, err, want)
		}
		if want == claim.AAL1 {
			shared.second(t, token, secret)
		}
	}
}

// Codes by e-mail or text as a second factor are a setting of Kratos that no
// identity shows.
func TestCodesAsASecondFactorAreKnown(t *testing.T) {
	requireKratos(t)
	kratos, err := start(t.TempDir(), "code: {enabled: true}", "code: {enabled: true, mfa_enabled: true}")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(kratos.stop)
	p := person{email: email(), password: "correct horse"}
	kratos.add(t, p)
	d := open(t, kratos, nil)
	session, err := d.Session(t.Context(), "", kratos.signIn(t, p.email, p.password))
	if err != nil {
		t.Fatal(err)
	}
	for _, who := range []claim.Caller{session, login(t, d, p), login(t, d, p)} {
		if got, err := who.Factors(t.Context()); err != nil || !slices.Equal(got, []string{"code"}) {
			t.Errorf("got %v, %v", got, err)
		}
	}
}

// Where Kratos wants a second factor of every session, a password alone is told
// which one is missing.
func TestAPasswordIsToldTheFactorThatKratosWants(t *testing.T) {
	requireKratos(t)
	kratos, err := start(t.TempDir(), "whoami: {required_aal: aal1}", "whoami: {required_aal: highest_available}")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(kratos.stop)
	p := person{email: email(), password: "correct horse"}
	kratos.add(t, p)
	kratos.addTOTP(t, kratos.signIn(t, p.email, p.password))
	_, err = open(t, kratos, nil).Login(t.Context(), p.email, p.password)
	missing := (*claim.SecondFactorError)(nil)
	if !errors.Is(err, auth.ErrSecondFactor) || !errors.As(err, &missing) || strings.Join(missing.Missing, " ") != "totp" {
		t.Errorf("got %v", err)
	}
}

func login(t *testing.T, d interface {
	Login(ctx context.Context, user, password string) (claim.Caller, error)
}, p person,
) claim.Caller {
	t.Helper()
	who, err := d.Login(t.Context(), p.email, p.password)
	if err != nil {
		t.Fatal(err)
	}
	return who
}

package kratos_test

import (
	"errors"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/holdline/holdline/internal/auth"
	"github.com/holdline/holdline/internal/claim"
)

func TestSessionOfToken(t *testing.T) {
	requireKratos(t)
	mobile, pending := number(t), number(t)
	p := person{email: email(), password: "correct horse", mobile: mobile.Unmasked(), verified: true, pending: pending.Unmasked()}
	id := shared.add(t, p)
	way := watch(t, shared)
	got, err := open(t, way.server, nil).Session(t.Context(), "theme=dark", shared.signIn(t, p.email, p.password))
	if err != nil {
		t.Fatal(err)
	}
	if got.AuthenticatedAt.IsZero() || got.AuthenticatedAt.Location() != time.UTC {
		t.Errorf("authenticated at %v", got.AuthenticatedAt)
	}
	if got.SessionID == "" {
		t.Error("the session has no id")
	}
	if got.Factors == nil {
		t.Error("nobody can ask for its factors")
	}
	got.AuthenticatedAt, got.SessionID, got.Factors = time.Time{}, "", nil
	want := claim.Caller{
		IdentityID: id, Assurance: claim.AAL1,
		Seen: &claim.Identity{ID: id, Mobile: mobile.Unmasked(), Verified: true, Pending: pending.Unmasked()},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if got := way.seen(http.MethodGet, "/"); len(got) != 1 || got[0].Header.Get("Cookie") != "" {
		t.Errorf("made %d requests, want one without cookies", len(got))
	}
}

func TestSessionOfCookie(t *testing.T) {
	requireKratos(t)
	p := person{email: email(), password: "correct horse"}
	id := shared.add(t, p)
	cookie := browse(t, p)
	way := watch(t, shared)
	d := open(t, way.server, nil)
	got, err := d.Session(t.Context(), "theme=dark; "+cookie+"; csrf_token_x=secret", "")
	if err != nil || got.IdentityID != id {
		t.Fatalf("got %v, %v", got.IdentityID, err)
	}
	for _, r := range way.seen(http.MethodGet, "/sessions/whoami") {
		if got := r.Header.Get("Cookie"); got != cookie {
			t.Errorf("sent the cookies %q, want only the session's", got)
		}
	}
}

// browse signs in as a browser does and returns the session cookie.
func browse(t *testing.T, p person) string {
	t.Helper()
	jar, _ := cookiejar.New(nil)
	client := &http.Client{Jar: jar, Transport: &http.Transport{DisableKeepAlives: true}}
	var flow struct {
		UI struct {
			Action string
			Nodes  []struct {
				Attributes struct {
					Name  string
					Value any
				}
			}
		}
	}
	sendBy(t, client, http.MethodGet, shared.public+"/self-service/login/browser", nil, &flow)
	body := map[string]any{"method": "password", "identifier": p.email, "password": p.password}
	for _, node := range flow.UI.Nodes {
		if node.Attributes.Name == "csrf_token" {
			body["csrf_token"] = node.Attributes.Value
		}
	}
	sendBy(t, client, http.MethodPost, flow.UI.Action, body, nil)
	home, _ := url.Parse(shared.public)
	for _, c := range jar.Cookies(home) {
		if c.Name == "ory_kratos_session" {
			return c.Name + "=" + c.Value
		}
	}
	t.Fatal("no session cookie")
	return ""
}

func TestNoSession(t *testing.T) {
	requireKratos(t)
	d := open(t, shared, nil)
	p := person{email: email(), password: "correct horse"}
	id := shared.add(t, p)
	disabled := shared.signIn(t, p.email, p.password)
	send(t, http.MethodPatch, shared.admin+"/admin/identities/"+id,
		[]any{map[string]any{"op": "replace", "path": "/state", "value": "inactive"}}, nil)
	for name, tt := range map[string]struct{ cookie, token string }{
		"nothing":                      {},
		"bad token":                    {token: "ory_st_unknown"},
		"other cookies":                {cookie: "theme=dark; x_ory_kratos_session=1"},
		"bad cookie":                   {cookie: "ory_kratos_session=unknown"},
		"bad cookie of Ory Network":    {cookie: "ory_session_demo=unknown"},
		"inactive identity":            {token: disabled},
		"token in the session cookie":  {cookie: "ory_kratos_session=" + disabled},
		"bad token beside good cookie": {cookie: browse(t, personWithPassword(t)), token: "ory_st_unknown"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := d.Session(t.Context(), tt.cookie, tt.token)
			if !errors.Is(err, auth.ErrNoSession) {
				t.Errorf("got %v, want %v", err, auth.ErrNoSession)
			}
			if tt.token != "" && strings.Contains(err.Error(), tt.token) {
				t.Errorf("error tells the token: %v", err)
			}
		})
	}
}

func personWithPassword(t *testing.T) person {
	t.Helper()
	p := person{email: email(), password: "correct horse"}
	shared.add(t, p)
	return p
}

package adminapi_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/holdline/holdline/api/adminapi"
	"github.com/holdline/holdline/internal/admin"
	"github.com/holdline/holdline/internal/audit"
	"github.com/holdline/holdline/internal/auth"
	"github.com/holdline/holdline/internal/claim"
	"github.com/holdline/holdline/internal/claim/claimtest"
	"github.com/holdline/holdline/internal/message"
	"github.com/holdline/holdline/internal/otp"
	"github.com/holdline/holdline/internal/people"
	"github.com/holdline/holdline/internal/phone"
	"github.com/holdline/holdline/internal/settings"
	"github.com/holdline/holdline/internal/storetest"
	"github.com/holdline/holdline/internal/web"
)

const (
	bob   = "9f425a8d-7efc-4768-8f23-7647a74fdf13"
	first = "+491711111111"
)

var noon = time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)

// world is the API on fakes that work.
type world struct {
	*testing.T
	engine    *gin.Engine
	store     *storetest.Store
	directory *storetest.Directory
	settings  *storetest.Settings
	switches  *settings.Service
	sent      []message.Text
	now       time.Time
}

// clients know one token that may manage claims, and one that may not.
type clients struct{}

func (clients) Recognises(string) bool { return true }

func (clients) Client(_ context.Context, token, _ string) (auth.Token, error) {
	switch token {
	case "desk":
		return auth.Token{Name: "desk", Scopes: []auth.Scope{auth.ScopeClaimsManage}}, nil
	case "okta":
		return auth.Token{Name: "okta", Scopes: []auth.Scope{auth.ScopeSCIMRead, auth.ScopeSCIMWrite}, Privileged: true}, nil
	}
	return auth.Token{}, auth.ErrNoToken
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{T: t, store: storetest.NewStore(), settings: &storetest.Settings{}, now: noon}
	log, now := slog.New(slog.DiscardHandler), func() time.Time { return w.now }
	w.switches = settings.New(w.settings, claim.Policy{
		Enabled: true, Validity: 5 * time.Minute, Lifetime: 24 * time.Hour, Cooldown: 30 * time.Second, MaxTexts: 5,
	}, now, log)
	codes, err := otp.New([]string{strings.Repeat("secret", 8)}, 6, otp.Numeric)
	if err != nil {
		t.Fatal(err)
	}
	keys, err := people.NewKeys([]string{"a secret"})
	if err != nil {
		t.Fatal(err)
	}
	w.directory = &storetest.Directory{}
	ids := 0
	service := claim.New(claim.Options{
		Store: w.store, Identities: claimtest.NewIdentities(), Codes: codes, Policy: w.switches.Policy, Now: now, Log: log,
		NewID: func() string { ids++; return fmt.Sprintf("text-%d", ids) },
		Send:  func(text message.Text) { w.sent = append(w.sent, text) },
	})
	server := &web.Server{Log: log, Now: now, NewID: func() string { return "request" }, Clients: clients{}}
	if w.engine, err = server.Engine(); err != nil {
		t.Fatal(err)
	}
	adminapi.Mount(w.engine, server, adminapi.Options{
		Settings: w.switches, Archive: w.store, Now: now,
		Admin: &admin.Service{
			Store: w.store, Claims: service, Now: now, Directory: w.directory,
			Statistics: &storetest.Statistics{}, Coverage: func() phone.Restrictions { return w.switches.Policy().Coverage },
			People: &people.Finder{Index: &storetest.People{}, Claims: w.store, Directory: w.directory, Keys: keys, Now: now},
		},
	})
	return w
}

// open makes an open claim of bob's.
func (w *world) open(id string, at time.Time) {
	w.Helper()
	c := claim.Claim{
		ID: id, IdentityID: bob, Source: "settings", Number: phone.FromStore(first), Previous: phone.FromStore("+491710000000"),
		State: claim.Open, CodeNumber: 1, Texts: 1, CreatedAt: at, NextText: at.Add(30 * time.Second),
		CodeExpires: at.Add(5 * time.Minute), LapsesAt: at.Add(24 * time.Hour),
	}
	if err := w.store.Commit(w.Context(), claim.Change{Create: &c, At: at, Events: []audit.Event{{
		ClaimID: id, IdentityID: bob, Kind: "open", Number: c.Number.String(), Actor: audit.Actor{Kind: audit.Owner, ID: bob}, At: at,
	}}}); err != nil {
		w.Fatal(err)
	}
}

// reply is an answer that was read.
type reply struct {
	*world
	status int
	body   string
}

// ask calls as the desk, if no other token is given.
func (w *world) ask(method, path, body string, token ...string) reply {
	w.Helper()
	request := httptest.NewRequestWithContext(w.Context(), method, path, strings.NewReader(body))
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Authorization", "Bearer desk")
	for _, t := range token {
		request.Header.Set("Authorization", "Bearer "+t)
	}
	recorder := httptest.NewRecorder()
	w.engine.ServeHTTP(recorder, request)
	if recorder.Header().Get("Cache-Control") != "no-store" {
		w.Errorf("%s %s may be cached", method, path)
	}
	return reply{w, recorder.Code, recorder.Body.String()}
}

func (r reply) want(status int, parts ...string) reply {
	r.Helper()
	if r.status != status {
		r.Errorf("status %d, want %d: %s", r.status, status, r.body)
	}
	for _, part := range parts {
		if !strings.Contains(r.body, part) {
			r.Errorf("%s is not in %s", part, r.body)
		}
	}
	return r
}

// page reads the answer as a list.
func (r reply) page() (items []map[string]any, next string) {
	r.Helper()
	r.want(http.StatusOK)
	var page struct {
		Items []map[string]any `json:"items"`
		Next  string           `json:"next"`
	}
	if err := json.Unmarshal([]byte(r.body), &page); err != nil || page.Items == nil {
		r.Fatalf("no list: %v: %s", err, r.body)
	}
	return page.Items, page.Next
}

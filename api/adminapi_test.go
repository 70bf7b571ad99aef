package api_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
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
	peopleindex "github.com/holdline/holdline/internal/people"
	"github.com/holdline/holdline/internal/phone"
	"github.com/holdline/holdline/internal/settings"
	"github.com/holdline/holdline/internal/statistics"
	"github.com/holdline/holdline/internal/storetest"
	"github.com/holdline/holdline/internal/web"
)

// desk is the admin API on fakes that work.
type desk struct {
	*testing.T
	book   *book
	engine *gin.Engine
	store  *storetest.Store
	index  *storetest.People
	known  *storetest.Directory
	now    time.Time

	identities *claimtest.Identities
	statistics *storetest.Statistics
	sessions   error // of ending them
	refused    error // of the gateway
}

func newDesk(t *testing.T) *desk {
	t.Helper()
	d := &desk{
		T: t, book: newBook(t), store: storetest.NewStore(), index: &storetest.People{}, known: &storetest.Directory{}, now: noon,
		identities: claimtest.NewIdentities(), statistics: &storetest.Statistics{},
	}
	log, now := slog.New(slog.DiscardHandler), func() time.Time { return d.now }
	switches := settings.New(&storetest.Settings{}, claim.Policy{
		Enabled: true, Validity: 5 * time.Minute, Lifetime: 24 * time.Hour, Cooldown: 30 * time.Second, MaxTexts: 5,
	}, now, log)
	codes, err := otp.New([]string{strings.Repeat("secret", 8)}, 6, otp.Numeric)
	if err != nil {
		t.Fatal(err)
	}
	keys, err := peopleindex.NewKeys([]string{"a secret"})
	if err != nil {
		t.Fatal(err)
	}
	ids := 0
	service := claim.New(claim.Options{
		Store: d.store, Identities: d.identities, EndSessions: func(context.Context, string) error { return d.sessions }, Codes: codes, Policy: switches.Policy, Now: now, Log: log,
		NewID: func() string { ids++; return fmt.Sprint("text-", ids) }, Send: func(message.Text) {},
	})
	d.engine = newEngine(t, func(engine *gin.Engine, server *web.Server) {
		adminapi.Mount(engine, server, adminapi.Options{
			Settings: switches, Archive: d.store, Now: now,
			Admin: &admin.Service{
				Store: d.store, Claims: service, Now: now, Directory: d.known,
				Privileged: func(_ context.Context, id string) (bool, error) { return id == "root-"+bob, nil },
				Plan:       phone.Parser{Format: phone.FormatE164},
				Statistics: d.statistics, Coverage: func() phone.Restrictions { return switches.Policy().Coverage },
				Gateways: func() []admin.Gateway { return []admin.Gateway{{ID: "main", State: "closed", LastAt: noon}} },
				Tests: admin.TestTexts{
					Send:    func(context.Context, string, phone.Number) (string, error) { return "m-1", d.refused },
					Limiter: &storetest.Limiter{},
				},
				Tokens: &storetest.Tokens{}, NewToken: func() (secret auth.TokenSecret) { ids++; secret[0] = byte(ids); return secret },
				Configured: []auth.Token{{Name: "okta", Scopes: []auth.Scope{auth.ScopeSCIMRead}}},
				People:     &peopleindex.Finder{Index: d.index, Claims: d.store, Directory: d.known, Keys: keys, Now: now},
			},
		})
	})
	return d
}

// claim keeps one of bob's.
func (d *desk) claim(id string, state claim.State) {
	d.Helper()
	c := claim.Claim{
		ID: id, IdentityID: id + "-" + bob, Source: claim.SourceSettings, Number: phone.FromStore("+15550100"),
		State: state, CodeNumber: 1, Texts: 1, CreatedAt: d.now, NextText: d.now.Add(30 * time.Second),
		CodeExpires: d.now.Add(5 * time.Minute), LapsesAt: d.now.Add(24 * time.Hour),
	}
	if err := d.store.Commit(d.Context(), claim.Change{Create: &c, At: d.now, Events: []audit.Event{{
		ClaimID: id, IdentityID: c.IdentityID, Kind: "open", Number: c.Number.String(), At: d.now,
		Actor: audit.Actor{Kind: audit.Owner, ID: bob, ClientIP: "192.0.2.7"},
	}}}); err != nil {
		d.Fatal(err)
	}
}

func (d *desk) ask(want int, method, path, body string, headers ...string) {
	d.Helper()
	if !strings.Contains(strings.Join(headers, " "), "Authorization") {
		headers = append(headers, "Authorization", "Bearer hlt_desk")
	}
	if body != "" && !strings.Contains(strings.Join(headers, " "), "Content-Type") {
		headers = append(headers, "Content-Type", "application/json")
	}
	if got := d.book.ask(d.T, d.engine, method, path, body, headers...); got.Code != want {
		d.Errorf("%s %s: got %d %s, want %d", method, path, got.Code, got.Body, want)
	}
}

func TestTheAdminAPIAnswersAsDocumented(t *testing.T) {
	d := newDesk(t)
	const settings, setting, search, find = "/admin/settings", "/admin/settings/enable_verification", "/admin/claims/search", "/admin/people/search"
	d.anybodyElse()
	d.ask(200, "GET", settings, "")
	d.ask(200, "GET", setting, "")
	d.ask(200, "PATCH", settings, `{"enable_verification":false}`, "Content-Type", "application/merge-patch+json")
	d.ask(200, "PATCH", settings, `{"identity_mgt":{"user_claim_update":{"mobile":{"verification-sms-otp-validity":7},"use_verify_claim":null}}}`)
	d.ask(200, "GET", setting, "")
	d.ask(200, "PATCH", settings, `{"allowed_calling_codes":["49","43"]}`)
	d.ask(200, "GET", "/admin/settings/allowed_calling_codes", "")
	d.ask(204, "DELETE", "/admin/settings/allowed_calling_codes", "")
	d.ask(204, "DELETE", setting, "")
	d.ask(400, "PATCH", settings, `{"verification_sms_otp_validity":"25h"}`)
	d.ask(400, "PATCH", settings, `[]`)
	for _, method := range []string{"GET", "DELETE"} {
		d.ask(404, method, "/admin/settings/nothing", "")
	}
	for path, body := range map[string]string{settings: `{"enable_verification":"` + strings.Repeat("x", web.MaxBody) + `"}`, search: `{"cursor":"` + strings.Repeat("x", web.MaxBody) + `"}`, find: `{"query":"` + strings.Repeat("x", web.MaxBody) + `"}`} {
		method := map[string]string{settings: "PATCH", search: "POST", find: "POST"}[path]
		d.ask(413, method, path, body)
		d.ask(415, method, path, `{}`, "Content-Type", "text/plain")
	}
	for i := range 3 {
		d.claim(fmt.Sprint("claim-", i), claim.Open)
	}
	d.claim("verified", claim.Verified)
	d.ask(200, "GET", "/admin/claims?state=open&limit=2", "")
	d.ask(200, "GET", "/admin/claims?state=lapsed", "")
	d.ask(200, "POST", search, `{"mobile_number":"+15****00","limit":1}`)
	d.ask(400, "POST", search, `{"limit":0}`)
	d.ask(400, "POST", search, `{"mobile_number":"****"}`)
	for i := range 2001 {
		err := d.index.Put(t.Context(), peopleindex.Entry{IdentityID: fmt.Sprint("person-", i), Terms: []string{"m+15****01"}})
		if err != nil {
			t.Fatal(err)
		}
	}
	d.ask(400, "POST", search, `{"mobile_number":"+15****01"}`)
	d.known.Put(peopleindex.Profile{
		Identity: claim.Identity{ID: "claim-1-" + bob, Mobile: "+15550199", Verified: true}, Name: "Bob", Emails: []string{"bob@example.com"}, UserNames: []string{"bob"},
	})
	d.ask(200, "POST", find, `{"query":"55501"}`)
	d.ask(200, "POST", find, `{"query":"bob"}`)
	d.ask(400, "POST", find, `{"query":"b"}`)
	d.ask(400, "POST", find, `{"who":"bob"}`)
	d.ask(400, "POST", search, `{"mobile_number":"call me"}`)
	d.ask(429, "POST", "/admin/claims/claim-0/resend", "")
	d.now = noon.Add(time.Minute)
	d.ask(204, "POST", "/admin/claims/claim-0/resend", "")
	d.ask(200, "POST", "/admin/claims/claim-0/reveal", "")
	if err := d.store.Done(t.Context(), message.TextResult{TextID: "text-1", State: message.TextSent, Gateway: "main", ProviderID: "m-1", At: d.now}); err != nil {
		t.Fatal(err)
	}
	if err := d.store.Record(t.Context(), message.Receipt{Gateway: "main", Message: "m-1", State: message.ReceiptDelivered, Detail: "delivered", At: d.now}); err != nil {
		t.Fatal(err)
	}
	d.ask(200, "GET", "/admin/claims/claim-0", "")
	d.ask(204, "DELETE", "/admin/claims/claim-0", "")
	d.ask(200, "GET", "/admin/claims/claim-0", "")
	d.ask(409, "DELETE", "/admin/claims/verified", "")
	d.claim("root", claim.Open)
	d.ask(403, "DELETE", "/admin/claims/root", "")
	for _, act := range []struct{ method, path string }{{"DELETE", ""}, {"POST", "/resend"}} {
		d.ask(404, act.method, "/admin/claims/claim-0"+act.path, "")
		d.ask(404, act.method, "/admin/claims/nothing"+act.path, "")
	}
	d.ask(404, "POST", "/admin/claims/nothing/reveal", "")
	d.ask(404, "GET", "/admin/claims/nothing", "")
	for path, bad := range map[string]string{"claims": "state=gone", "texts": "state=lost", "audit": "cursor=x", "traffic": "hours=0"} {
		d.ask(200, "GET", "/admin/"+path, "")
		d.ask(400, "GET", "/admin/"+path+"?"+bad, "")
	}
	d.ask(200, "GET", "/admin/texts?claim_id=claim-0", "")
	d.ask(200, "GET", "/admin/audit?limit=1", "")
	// What else admin.Service documents for a resend, from below.
	for err, want := range map[error]int{
		phone.ErrNumberNotServed: 400, limit(claim.ErrTooManyTexts): 429, limit(claim.ErrCallingCodeFull): 429, limit(claim.ErrChangesBlocked): 429,
	} {
		d.store.Fail(err)
		d.ask(want, "POST", "/admin/claims/claim-1/resend", "")
	}
	d.decide()
	d.book.complete(t, "/admin/")
}

// decide asks for what the console does besides claims and settings.
func (d *desk) decide() {
	d.Helper()
	d.store.Fail(nil)
	d.ask(200, "GET", "/admin/person?identity_id=claim-1-"+bob, "")
	d.ask(400, "GET", "/admin/person", "")
	d.ask(404, "GET", "/admin/person?identity_id=nobody", "")

	d.ask(200, "GET", "/admin/alarms", "")
	d.ask(400, "GET", "/admin/alarms?open=perhaps", "")
	for _, id := range []string{"denied", "gone", "root", "written", "taken"} {
		d.denied(id)
	}
	d.ask(200, "GET", "/admin/alarms?open=true&limit=2", "")
	d.ask(200, "GET", "/admin/alarms/denied", "")
	d.ask(200, "GET", "/admin/alarms/gone", "")
	for _, act := range []string{"end-sessions", "lift-block", "restore", "close"} {
		d.ask(204, "POST", "/admin/alarms/denied/"+act, "")
		d.ask(404, "POST", "/admin/alarms/none/"+act, "")
		d.ask(403, "POST", "/admin/alarms/root/"+act, "")
	}
	d.ask(404, "GET", "/admin/alarms/none", "")
	d.ask(409, "POST", "/admin/alarms/denied/restore", "")
	d.ask(404, "POST", "/admin/alarms/gone/restore", "")
	verified := claim.Claim{
		ID: "being-written", IdentityID: "written-" + bob, Source: claim.SourceSettings, Number: phone.FromStore("+15550100"),
		State: claim.Verified, CreatedAt: d.now, LapsesAt: d.now.Add(time.Hour),
	}
	if err := d.store.Commit(d.Context(), claim.Change{Create: &verified, At: d.now}); err != nil {
		d.Fatal(err)
	}
	d.ask(409, "POST", "/admin/alarms/written/restore", "")
	d.identities.Fail(claim.ErrNumberTaken)
	d.ask(409, "POST", "/admin/alarms/taken/restore", "")
	d.identities.Fail(claim.ErrIdentitiesUnavailable)
	d.ask(503, "POST", "/admin/alarms/taken/restore", "")
	d.sessions = claim.ErrIdentitiesUnavailable
	d.ask(503, "POST", "/admin/alarms/taken/end-sessions", "")

	d.ask(200, "GET", "/admin/suggestions", "")
	for code, n := range map[string]int{"49": 900, "43": 95, "1": 5} {
		d.statistics.Put(statistics.Hour{
			Start: d.now.Truncate(time.Hour).Add(-10 * 24 * time.Hour), Subject: statistics.CallingCode(code),
			Counts: statistics.Counts{Requested: n, Confirmed: n},
		})
	}
	d.ask(200, "GET", "/admin/suggestions", "")
	d.ask(200, "GET", "/admin/statistics?span=30d&calling_code=49", "")
	d.ask(400, "GET", "/admin/statistics?span=1y", "")

	d.ask(200, "GET", "/admin/gateways", "")
	const test = "/admin/gateways/main/test"
	d.ask(200, "POST", test, `{"mobile_number":"+12125550100"}`)
	d.ask(404, "POST", "/admin/gateways/none/test", `{"mobile_number":"+12125550100"}`)
	d.ask(400, "POST", test, `{"number":"+12125550100"}`)
	d.ask(400, "POST", test, `{"mobile_number":"call me"}`)
	d.ask(200, "PATCH", "/admin/settings", `{"allowed_calling_codes":["49"]}`)
	d.ask(400, "POST", test, `{"mobile_number":"+12125550100"}`)
	d.ask(413, "POST", test, `{"mobile_number":"`+strings.Repeat("1", web.MaxBody)+`"}`)
	d.ask(415, "POST", test, `{}`, "Content-Type", "text/plain")
	d.refused = errors.New("answered 401")
	d.ask(200, "POST", test, `{"mobile_number":"+491711234567"}`)

	const tokens = "/admin/tokens"
	d.ask(201, "POST", tokens, `{"name":"anna","scopes":["claims:manage"],"expires_at":"2027-07-01T00:00:00Z"}`)
	d.ask(200, "GET", tokens, "")
	d.ask(409, "POST", tokens, `{"name":"anna","scopes":["claims:manage"]}`)
	d.ask(409, "POST", tokens, `{"name":"okta","scopes":["claims:manage"]}`)
	d.ask(403, "POST", tokens, `{"name":"more","scopes":["scim:write"]}`)
	d.ask(403, "POST", tokens, `{"name":"more","scopes":["claims:manage"],"privileged":true}`)
	d.ask(400, "POST", tokens, `{"name":"no scope","scopes":[]}`)
	d.ask(400, "POST", tokens, `{"name":"over","scopes":["claims:manage"],"expires_at":"2026-07-01T00:00:00Z"}`)
	d.ask(400, "POST", tokens, `{"called":"anna"}`)
	d.ask(413, "POST", tokens, `{"name":"`+strings.Repeat("x", web.MaxBody)+`"}`)
	d.ask(415, "POST", tokens, `{}`, "Content-Type", "text/plain")
	d.ask(400, "DELETE", tokens+"/anna?with_made=perhaps", "")
	d.ask(204, "DELETE", tokens+"/anna?with_made=true", "")
	d.ask(404, "DELETE", tokens+"/anna", "")
	d.ask(404, "DELETE", tokens+"/okta", "")
}

// denied raises an alarm about somebody's number; who is gone has no identity.
func (d *desk) denied(id string) {
	d.Helper()
	who := claim.Identity{ID: id + "-" + bob, Mobile: "+15550100", Verified: true}
	a := claim.Alarm{
		ID: id, IdentityID: who.ID, Denied: message.TextChanged, Number: phone.FromStore(who.Mobile), Previous: phone.FromStore("+15550199"),
		PreviousVerified: true, ClientIP: "203.0.113.9", RaisedAt: d.now, BlockedUntil: d.now.Add(24 * time.Hour), Version: 1,
	}
	if err := d.store.Commit(d.Context(), claim.Change{Raise: &a, At: d.now}); err != nil {
		d.Fatal(err)
	}
	if id != "gone" {
		d.identities.Put(who)
		d.known.Put(peopleindex.Profile{Identity: who, Name: "Bob"})
	}
}

// anybodyElse asks for every route with tokens that do not open it, and with a
// store that is away or broken.
func (d *desk) anybodyElse() {
	d.Helper()
	for _, route := range d.engine.Routes() {
		path := strings.NewReplacer(":id", "x", ":name", "x", ":key", "enable_verification").Replace(route.Path)
		for token, want := range map[string]int{
			"": 401, "hlt_none": 401, "hlt_okta": 403, "hlt_limited": 429, "hlt_odd": 500, "hlt_store-away": 503,
		} {
			d.ask(want, route.Method, path, "", "Authorization", "Bearer "+token)
		}
	}
}

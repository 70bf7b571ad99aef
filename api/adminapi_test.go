package api_test

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/holdline/holdline/api/adminapi"
	"github.com/holdline/holdline/internal/admin"
	"github.com/holdline/holdline/internal/audit"
	"github.com/holdline/holdline/internal/claim"
	"github.com/holdline/holdline/internal/claim/claimtest"
	"github.com/holdline/holdline/internal/message"
	"github.com/holdline/holdline/internal/otp"
	peopleindex "github.com/holdline/holdline/internal/people"
	"github.com/holdline/holdline/internal/phone"
	"github.com/holdline/holdline/internal/settings"
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
}

func newDesk(t *testing.T) *desk {
	t.Helper()
	d := &desk{T: t, book: newBook(t), store: storetest.NewStore(), index: &storetest.People{}, known: &storetest.Directory{}, now: noon}
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
		Store: d.store, Identities: claimtest.NewIdentities(), Codes: codes, Policy: switches.Policy, Now: now, Log: log,
		NewID: func() string { ids++; return fmt.Sprint("text-", ids) }, Send: func(message.Text) {},
	})
	d.engine = newEngine(t, func(engine *gin.Engine, server *web.Server) {
		adminapi.Mount(engine, server, adminapi.Options{
			Settings: switches, Archive: d.store, Now: now,
			Claims: &admin.Service{
				Store: d.store, Claims: service, Now: now, Directory: d.known,
				Privileged: func(_ context.Context, id string) (bool, error) { return id == "root-"+bob, nil },
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
	d.book.complete(t, "/admin/")
}

// anybodyElse asks for every route with tokens that do not open it, and with a
// store that is away or broken.
func (d *desk) anybodyElse() {
	d.Helper()
	for _, route := range d.engine.Routes() {
		path := strings.NewReplacer(":id", "x", ":key", "enable_verification").Replace(route.Path)
		for token, want := range map[string]int{
			"": 401, "hlt_none": 401, "hlt_okta": 403, "hlt_limited": 429, "hlt_odd": 500, "hlt_store-away": 503,
		} {
			d.ask(want, route.Method, path, "", "Authorization", "Bearer "+token)
		}
	}
}

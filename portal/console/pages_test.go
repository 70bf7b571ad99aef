package console_test

import (
	"net/http"
	"net/url"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/holdline/holdline/internal/admin"
	"github.com/holdline/holdline/internal/audit"
	"github.com/holdline/holdline/internal/auth"
	"github.com/holdline/holdline/internal/claim"
	"github.com/holdline/holdline/internal/fraud"
	"github.com/holdline/holdline/internal/message"
	"github.com/holdline/holdline/internal/phone"
	"github.com/holdline/holdline/internal/problem"
	"github.com/holdline/holdline/internal/settings"
	"github.com/holdline/holdline/portal/console"
)

const markup = `<b>"x"</b><script>alert(1)</script>`

func TestMarkupInValuesIsText(t *testing.T) {
	w := newWorld(t)
	c := w.claim(func(c *claim.Claim) {
		c.IdentityID, c.Reason, c.Source = markup, markup, markup
		c.State = claim.Conflict
	})
	line := audit.Event{ClaimID: c.ID, IdentityID: markup, Kind: markup, Number: markup, Reason: markup, Actor: audit.Actor{Kind: audit.Client, ID: markup, ClientIP: markup}, At: w.Now()}
	if err := w.store.RecordEvent(t.Context(), line); err != nil {
		t.Fatal(err)
	}
	due, _ := w.store.DueTexts(t.Context(), w.Now().Add(time.Hour), 1)
	if err := w.store.Done(t.Context(), message.TextResult{TextID: due[0].ID, State: message.TextFailed, Gateway: markup, ProviderID: "m", Reason: markup, At: w.Now()}); err != nil {
		t.Fatal(err)
	}
	if err := w.store.Record(t.Context(), message.Receipt{Gateway: markup, Message: "m", State: message.ReceiptUndelivered, Detail: markup, At: w.Now()}); err != nil {
		t.Fatal(err)
	}
	w.newToken(markup, auth.ScopeClaimsManage)
	w.opt.Product, w.opt.Replica = markup, markup
	w.admin.Configured = []auth.Token{{Name: markup, Scopes: []auth.Scope{markup}}}
	w.gateways = []admin.Gateway{{ID: markup, State: markup, LastReason: markup}}
	w.opt.Alarms = func() map[string]fraud.Alert { return map[string]fraud.Alert{markup: {Alarm: markup}} }
	w.opt.Limits = []console.Limit{{Name: markup, Key: markup, Value: markup}}
	w.rebuild()
	b := w.administrator()
	off := "false"
	if err := w.board.Set(t.Context(), map[settings.Key]*string{settings.Verify: &off}, audit.Actor{ID: markup}); err != nil {
		t.Fatal(err)
	}
	asked := url.QueryEscape(markup)
	paths := append(routes(t, w, http.MethodGet), "/console/claims/"+c.ID, "/console/claims?identity="+asked, "/console/texts?gateway="+asked,
		"/console/audit?claim="+asked+"&identity="+asked+"&kind="+asked, "/console/tokens/revoke?name="+asked, "/console/"+url.PathEscape(markup))
	for _, path := range paths {
		if body := b.get(path).Body.String(); strings.Contains(body, "<script>") || strings.Contains(body, "<b>") || strings.Contains(body, `="<`) {
			t.Errorf("%s has markup in it", path)
		}
	}
	for path, fields := range map[string]url.Values{
		"/console/claims":        {"number": {markup}, "identity": {markup}},
		"/console/settings":      {"verification_sms_otp_validity": {markup}},
		"/console/tokens/revoke": {"name": {markup + "x"}},
	} {
		if body := b.post(path, fields).Body.String(); strings.Contains(body, "<script>") || strings.Contains(body, "<b>") {
			t.Errorf("%s has markup in it", path)
		}
	}
}

func TestTheOverviewTellsWhatWaits(t *testing.T) {
	w := newWorld(t)
	for range 2 {
		w.claim(func(c *claim.Claim) { c.IdentityID = w.newID() })
	}
	w.claim(func(c *claim.Claim) { c.IdentityID, c.State = "bob", claim.Applied })
	w.opt.Alarms = func() map[string]fraud.Alert {
		return map[string]fraud.Alert{"94": {Alarm: fraud.AlarmShare, Texts: 80, Confirmed: 4}, "49": {Alarm: fraud.AlarmBudget, Texts: 100}}
	}
	w.rebuild()
	got := w.administrator().get("/console/")
	says(t, got, http.StatusOK, "+94 Sri Lanka: few codes are confirmed (5 % of 80). Texts still go out.", "+49 Germany: the budget is spent", "failing", "replica-1", "Number written")
	if words := visible(got.Body.String()); !strings.Contains(words, "Wait for their code 2 ") || !strings.Contains(words, "Texts that wait 3 ") {
		t.Errorf("got %s", words)
	}
	w.store.Fail(problem.ErrStoreUnavailable)
	says(t, w.administrator().get("/console/"), http.StatusServiceUnavailable, "The database does not answer")
}

func TestTrafficIsShownByCountry(t *testing.T) {
	w := newWorld(t)
	for i, number := range []string{"+491711111111", "+491711111112", "+12025550100", "+80012345678"} {
		w.claim(func(c *claim.Claim) {
			c.IdentityID, c.Number = w.newID(), phone.FromStore(number)
			if i == 0 {
				c.State = claim.Applied
			}
		})
	}
	due, _ := w.store.DueTexts(t.Context(), w.Now().Add(time.Hour), 10)
	for _, text := range due {
		_ = w.store.Done(t.Context(), message.TextResult{TextID: text.ID, State: message.TextSent, Gateway: "vonage", ProviderID: text.ID, At: w.Now()})
	}
	b := w.administrator()
	for _, span := range []string{"", "?span=1h", "?span=24h", "?span=7d", "?span=30d"} {
		got := b.get("/console/traffic" + span)
		says(t, got, http.StatusOK, "+49", "Germany", "+1", "United States and 24 more", "International service")
		if words := visible(got.Body.String()); !strings.Contains(words, "+49 Germany 2 2 1 50 %") || !strings.Contains(words, "All 4 4 1 25 %") {
			t.Errorf("got %s", words)
		}
	}
	w.pass(2 * time.Hour)
	says(t, w.administrator().get("/console/traffic?span=1h"), http.StatusOK, "No text with a code was queued in this time.")
}

func TestLimitsAreNamedByTheirKeys(t *testing.T) {
	w := newWorld(t)
	w.opt.Limits = []console.Limit{{Name: "Wrong tokens per address", Key: "limits.token_failures_per_address", Value: "10"}}
	w.rebuild()
	words := visible(w.administrator().get("/console/limits").Body.String())
	for _, part := range []string{
		"An ended claim is kept for 90 days claims.retention", "Codes entered per claim 5 limits.max_attempts",
		"Texts per calling code in an hour no limit traffic.texts_per_calling_code_per_hour", "Calling codes that are texted all",
		"Wrong tokens per address 10 limits.token_failures_per_address", "25 % traffic.min_confirmed_share",
	} {
		if !strings.Contains(words, part) {
			t.Errorf("%q is missing in %s", part, words)
		}
	}
	documented, err := os.ReadFile("../../docs/configuration.md")
	if err != nil {
		t.Fatal(err)
	}
	keys := regexp.MustCompile(`<td data-label="Key in the configuration"><code>([^<]+)</code>`).FindAllStringSubmatch(w.administrator().get("/console/limits").Body.String(), -1)
	if len(keys) < 20 {
		t.Errorf("%d limits have a key", len(keys))
	}
	for _, key := range keys {
		if !strings.Contains(string(documented), "`"+key[1]+"`") {
			t.Errorf("there is no setting %s", key[1])
		}
	}
}

func TestTokensAreRevokedAfterAsking(t *testing.T) {
	w := newWorld(t)
	w.newToken("okta", auth.ScopeSCIMRead)
	b := w.administrator()
	says(t, b.get("/console/tokens"), http.StatusOK, "New token", "in the configuration", "/console/tokens/revoke?name=ops")
	says(t, b.get("/console/tokens/revoke?name=ops"), http.StatusOK, "You are signed in with a token of this name.")
	says(t, b.get("/console/tokens/revoke?name=okta"), http.StatusOK, "The configuration has a token of this name as well")
	says(t, b.get("/console/tokens/revoke?name=nobody"), http.StatusNotFound, "There is no such token")
	says(t, b.get("/console/tokens/revoke"), http.StatusFound)
	b.get("/console/tokens")
	says(t, b.follow(b.post("/console/tokens/revoke", url.Values{"name": {"okta"}})), http.StatusOK, "The token is revoked.", `<span class="badge">revoked</span>`)
	events := w.kept.Events()
	if last := events[len(events)-1]; last.Kind != auth.TokenRevoked || last.Actor != ops || last.Reason != "okta" || !last.At.Equal(w.Now()) {
		t.Errorf("got the event %+v", last)
	}
	says(t, b.post("/console/tokens/revoke", url.Values{"name": {"okta"}}), http.StatusNotFound)
	w.kept.Fail(problem.ErrStoreUnavailable)
	w.opt.Sessions = alwaysOps{w.administrators}
	w.rebuild()
	says(t, b.get("/console/tokens"), http.StatusServiceUnavailable)
	says(t, b.get("/console/tokens/revoke?name=ops"), http.StatusServiceUnavailable)
}

func TestAListThatCannotBeReadSaysSo(t *testing.T) {
	w := newWorld(t)
	b := w.administrator()
	w.store.Fail(problem.ErrStoreUnavailable)
	for _, path := range []string{"claims", "texts", "traffic", "audit", "claims/c"} {
		says(t, b.get("/console/"+path), http.StatusServiceUnavailable, "The database does not answer")
	}
}

func TestTheAuditTrailIsFiltered(t *testing.T) {
	w := newWorld(t)
	one := w.claim(nil)
	w.claim(func(c *claim.Claim) { c.IdentityID, c.State = "bob", claim.Applied })
	b := w.administrator()
	for query, words := range map[string]string{"": "2", "?claim=" + one.ID: "1", "?identity=bob": "1", "?kind=applied": "1", "?kind=odd": "0"} {
		body := b.get("/console/audit" + query).Body.String()
		if got := len(regexp.MustCompile(`<th scope="row">`).FindAllString(body, -1)); got != int(words[0]-'0') {
			t.Errorf("%s: got %d lines, want %s", query, got, words)
		}
	}
	says(t, b.get("/console/audit?kind=odd"), http.StatusOK, `<option value="odd" selected>odd</option>`, "Nothing is noted here.")
}

func TestATokenIsMadeAndShownOnce(t *testing.T) {
	w := newWorld(t)
	b := w.administrator()
	says(t, b.get("/console/tokens/new"), http.StatusOK, `value="claims:manage"`, `value="2027-11-24"`)
	if body := b.get("/console/tokens/new").Body.String(); strings.Contains(body, "scim:write") || strings.Contains(body, `name="privileged"`) {
		t.Errorf("more is offered than ops may do: %s", visible(body))
	}
	fields := url.Values{"name": {"anna"}, "scope": {"claims:manage"}, "expires": {"2026-12-01"}}
	got := b.post("/console/tokens/new", fields)
	says(t, got, http.StatusCreated, "It is shown this once")
	made := regexp.MustCompile(`hlt_[A-Za-z0-9_-]{48}`).FindString(got.Body.String())
	if got.Header().Get("Cache-Control") != "no-store" || made == "" {
		t.Fatalf("got %s", visible(got.Body.String()))
	}
	kept, err := w.kept.Find(t.Context(), auth.DigestToken(made))
	if err != nil || kept.Name != "anna" || kept.Privileged || !kept.ExpiresAt.Equal(time.Date(2026, 12, 2, 0, 0, 0, 0, time.UTC)) {
		t.Errorf("got %+v, %v", kept, err)
	}
	if events := w.kept.Events(); events[len(events)-1].Kind != auth.TokenCreated || events[len(events)-1].Actor != ops {
		t.Errorf("got the event %+v", events[len(events)-1])
	}
	for _, page := range []string{"/console/tokens", "/console/audit", "/console/tokens/new"} {
		if body := b.get(page).Body.String(); strings.Contains(body, made) {
			t.Errorf("%s shows the token", page)
		}
	}
	if strings.Contains(w.log.String(), made) {
		t.Error("the log has the token")
	}
	says(t, b.get("/console/tokens"), http.StatusOK, "anna", "soon")
	for name, tt := range map[string]struct {
		change url.Values
		status int
		words  string
	}{
		"again":              {nil, http.StatusConflict, "A token of this name is in force."},
		"of the file":        {url.Values{"name": {"okta"}}, http.StatusConflict, "in force"},
		"a bad name":         {url.Values{"name": {"a b"}}, http.StatusBadRequest, "The name must have 1 to 64 letters"},
		"a person's id":      {url.Values{"name": {"3F1B0C1E-0000-4000-8000-00000000000a"}}, http.StatusBadRequest, "The name must not look like a person"},
		"no scope":           {url.Values{"name": {"b"}, "scope": nil}, http.StatusBadRequest, "A scope is needed"},
		"no such scope":      {url.Values{"name": {"b"}, "scope": {"root"}}, http.StatusBadRequest, "There is no scope"},
		"more than one may":  {url.Values{"name": {"b"}, "scope": {"scim:write"}}, http.StatusForbidden, "no more than you may do yourself"},
		"privileged":         {url.Values{"name": {"b"}, "privileged": {"true"}}, http.StatusForbidden, "no more than you may do yourself"},
		"over already":       {url.Values{"name": {"b"}, "expires": {"2026-11-01"}}, http.StatusBadRequest, "must be a date to come"},
		"no date":            {url.Values{"name": {"b"}, "expires": {"soon"}}, http.StatusBadRequest, "must be a date to come"},
		"for ever":           {url.Values{"name": {"c"}, "expires": {""}}, http.StatusCreated, "shown this once"},
		"by privileged root": {url.Values{"name": {"d"}, "privileged": {"true"}, "scope": {"scim:write"}}, http.StatusCreated, "shown this once"},
	} {
		t.Run(name, func(t *testing.T) {
			b := b
			if strings.HasPrefix(name, "by privileged") {
				b = w.browser()
				b.get("/console/sign-in")
				b.cookies[kratos] = "privileged"
				b.post("/console/sign-in", url.Values{"by": {"kratos"}})
			}
			asked := url.Values{}
			for key, values := range fields {
				asked[key] = values
			}
			for key, values := range tt.change {
				asked[key] = values
			}
			says(t, b.post("/console/tokens/new", asked), tt.status, tt.words)
		})
	}
}

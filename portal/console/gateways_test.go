package console_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/holdline/holdline/internal/admin"
	"github.com/holdline/holdline/internal/auth"
	"github.com/holdline/holdline/internal/claim"
	"github.com/holdline/holdline/internal/fraud"
	"github.com/holdline/holdline/internal/phone"
	"github.com/holdline/holdline/internal/settings"
	"github.com/holdline/holdline/internal/statistics"
)

func TestGatewaysAreToldOverAllReplicas(t *testing.T) {
	w := newWorld(t)
	w.claim(nil)
	w.pass(3 * time.Minute)
	w.statistics.Put(statistics.Hour{
		Start: w.Now().Truncate(time.Hour), Subject: statistics.Gateway("vonage"), Counts: statistics.Counts{Sent: 9, Unsent: 1, Delay: 18 * time.Second},
	})
	got := w.administrator().get("/console/gateways")
	says(t, got, http.StatusOK, "The oldest has waited</h2><p class=\"figure\">3m<")
	if words := visible(got.Body.String()); !strings.Contains(words, "vonage working – 9 90 % 2s 0") || !strings.Contains(words, "twilio failing – 0 – – 0") {
		t.Errorf("got %s", words)
	}
}

func TestATestTextTriesAGateway(t *testing.T) {
	w := newWorld(t)
	var sent []string
	var fail error
	w.tests = func(_ context.Context, gateway string, to phone.Number) (string, error) {
		sent = append(sent, gateway+" "+to.Unmasked())
		return "m-1", fail
	}
	b, french := w.administrator(), "33"
	if err := w.board.Set(t.Context(), map[settings.Key]*string{settings.DeniedCodes: &french}, ops); err != nil {
		t.Fatal(err)
	}
	got := b.post("/console/gateways", url.Values{"gateway": {"vonage"}, "number": {"0171 2345678"}})
	says(t, got, http.StatusOK, "The gateway vonage has taken the text, under the id m-1.")
	events := w.store.Events()
	if last := events[len(events)-1]; last.Kind != admin.TestTextSent || last.Actor != ops || last.Number != "+49********78" || last.Reason != "vonage" {
		t.Errorf("got the event %+v", last)
	}
	fail = errors.New("answered 401")
	says(t, b.post("/console/gateways", url.Values{"gateway": {"twilio"}, "number": {"+491712345678"}}), http.StatusOK,
		"The gateway twilio did not take the text: answered 401.", `value="+491712345678"`)
	for fields, status := range map[*url.Values]int{
		{"gateway": {"vonage"}, "number": {"12"}}:           http.StatusBadRequest,
		{"gateway": {"vonage"}, "number": {"+33612345678"}}: http.StatusConflict,
		{"gateway": {"none"}, "number": {"+491712345678"}}:  http.StatusBadRequest,
	} {
		if got := b.post("/console/gateways", *fields); got.Code != status {
			t.Errorf("%v: got %d, want %d: %s", fields, got.Code, status, visible(got.Body.String()))
		}
	}
	if len(sent) != 2 || sent[0] != "vonage +491712345678" {
		t.Errorf("sent %v", sent)
	}
	for range 8 {
		b.post("/console/gateways", url.Values{"gateway": {"vonage"}, "number": {"+491712345678"}})
	}
	says(t, b.post("/console/gateways", url.Values{"gateway": {"vonage"}, "number": {"+491712345678"}}), http.StatusTooManyRequests)
	if len(sent) != 10 {
		t.Errorf("sent %d", len(sent))
	}
	// Nor does it help to make tokens for oneself.
	for i := range 4 {
		w.token = w.newToken(fmt.Sprint("ops-", i), auth.ScopeClaimsManage)
		b := w.administrator()
		for range 8 {
			b.post("/console/gateways", url.Values{"gateway": {"vonage"}, "number": {"+491712345678"}})
		}
	}
	if len(sent) != 30 {
		t.Errorf("sent %d in all", len(sent))
	}
}

func TestTheOverviewSaysWhatIsWrong(t *testing.T) {
	w := newWorld(t)
	w.gateways = []admin.Gateway{{ID: "vonage", State: "closed"}}
	w.rebuild()
	headline := func(words string, others ...string) {
		t.Helper()
		got := w.administrator().get("/console/")
		says(t, got, http.StatusOK, append([]string{"headline\"><strong>" + words}, others...)...)
	}
	headline("All is well.")
	w.claim(nil)
	w.pass(5 * time.Minute)
	headline("A text has waited for 5m.")
	for range 3 {
		w.claim(func(c *claim.Claim) { c.IdentityID, c.State = w.newID(), claim.Verified })
	}
	headline("3 confirmed numbers are not in Kratos yet", "A text has waited")
	w.gateways = append(w.gateways, admin.Gateway{ID: "twilio", State: "open"})
	headline("3 confirmed numbers", "The gateway twilio fails; others send in its place.")
	w.gateways = w.gateways[1:]
	headline("No text can be sent: every gateway fails.")
	w.gateways = nil
	headline("No gateway is configured")
	w.gateways = []admin.Gateway{{ID: "vonage", State: "closed"}}
	w.opt.Alarms = func() map[string]fraud.Alert {
		return map[string]fraud.Alert{"94": {Alarm: fraud.AlarmShare, Texts: 80, Confirmed: 4}}
	}
	w.admin.Configured = []auth.Token{{Name: "okta", ExpiresAt: w.Now().Add(3 * 24 * time.Hour)}}
	w.rebuild()
	headline("3 confirmed numbers", "The token okta ends on 27 November.", "+94 Sri Lanka: few codes are confirmed (5 % of 80). Texts still go out.")
}

func TestAPageThatLooksAgainByItselfKeepsNobodySignedIn(t *testing.T) {
	w := newWorld(t)
	b := w.administrator()
	b.header.Set("Holdline-Refresh", "1")
	for range 4 {
		w.pass(10 * time.Minute)
		b.get("/console/")
	}
	b.header.Del("Holdline-Refresh")
	says(t, b.get("/console/"), http.StatusUnauthorized)
	b = w.administrator()
	for range 4 {
		w.pass(10 * time.Minute)
		says(t, b.get("/console/"), http.StatusOK)
	}
}

func TestACancellationIsConfirmedFirst(t *testing.T) {
	w := newWorld(t)
	c := w.claim(nil)
	b := w.administrator()
	says(t, b.get("/console/claims/"+c.ID+"/cancel"), http.StatusOK, "Cancel this claim?", "+49********00", "stays in force", `action="/console/claims/`+c.ID+`/cancel"`)
	if found, _ := w.store.Find(t.Context(), c.ID); found.State != claim.Open {
		t.Errorf("it is %s already", found.State)
	}
	says(t, b.follow(b.post("/console/claims/"+c.ID+"/cancel", nil)), http.StatusOK, "The claim is cancelled")
	if got := b.get("/console/claims/" + c.ID + "/cancel"); got.Code != http.StatusFound {
		t.Errorf("what has ended can be cancelled: %d", got.Code)
	}
}

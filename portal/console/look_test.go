package console_test

import (
	"fmt"
	"net/http"
	"os"
	"testing"
	"time"

	"github.com/holdline/holdline/claim"
	"github.com/holdline/holdline/portal/console"
)

func TestServe(t *testing.T) {
	at := os.Getenv("CONSOLE_DEMO")
	if at == "" {
		t.Skip()
	}
	w := newWorld(t)
	w.now = time.Now().UTC()
	end := w.now
	w.now = w.now.Add(-20 * time.Hour)
	nums := []string{"+4917122%05d", "+336123%05d", "+447700%06d", "+1202555%04d", "+9477123%04d"}
	for i := range 140 {
		w.pass(8 * time.Minute)
		st := []claim.State{claim.Applied, claim.Applied, claim.Lapsed, claim.Applied, claim.Cancelled, claim.Locked, claim.Conflict, claim.Superseded}[i%8]
		num := nums[(i*i)%5]
		w.claim(func(c *claim.Claim) {
			c.IdentityID = "4d1cf3a0-5c1e-4a53-9f3a-3c40c5d7b" + string(rune('0'+i/100)) + string(rune('0'+i/10%10)) + string(rune('0'+i%10))
			c.Number = claim.RestoreMobile(fmt.Sprintf(num, i))
			c.State, c.EndedAt = st, w.Now().Add(2*time.Minute)
			c.Attempts = i % 4
			if st == claim.Conflict {
				c.Reason = "another identity has the number"
			}
		})
	}
	w.now = end.Add(-2 * time.Minute)
	c := w.claim(func(c *claim.Claim) { c.IdentityID = "EU/9f3a5c1e-4a53-9f3a-3c40c5d7b001"; c.Texts = 2 })
	due, _ := w.store.DueTexts(t.Context(), end.Add(time.Hour), 500)
	for i, q := range due {
		st := claim.TextSent
		reason := ""
		if i%11 == 3 {
			st, reason = claim.TextFailed, "vonage refused it: 6 unroutable number"
		}
		_ = w.store.Done(t.Context(), claim.TextResult{TextID: q.ID, State: st, Gateway: []string{"vonage", "twilio"}[i%2], ProviderID: q.ID, Reason: reason, At: q.CreatedAt.Add(3 * time.Second)})
		if i%3 != 1 {
			_ = w.store.Record(t.Context(), claim.Receipt{Gateway: []string{"vonage", "twilio"}[i%2], Message: q.ID, State: []claim.ReceiptState{claim.ReceiptDelivered, claim.ReceiptUndelivered}[i%5/4], Detail: "delivered 0", At: q.CreatedAt.Add(8 * time.Second)})
		}
	}
	w.now = end
	w.newToken("grafana-readonly", claim.ScopeSCIMRead)
	w.newToken("azure-provisioning", claim.ScopeSCIMRead, claim.ScopeSCIMWrite)
	_ = w.kept.Revoke(t.Context(), "grafana-readonly", claim.Event{At: end})
	v := "7m"
	_ = w.board.Set(t.Context(), map[claim.Switch]*string{claim.SwitchValidity: &v}, claim.Actor{Kind: claim.Administrator, ID: "ops"})
	w.opt.Alarms = func() map[string]claim.Verdict { return map[string]claim.Verdict{"94": {Alarm: claim.AlarmShare, Texts: 80, Confirmed: 4}} }
	w.opt.Gateways = func() []console.Gateway {
		return []console.Gateway{{ID: "vonage", State: "closed", Sent: 1734, InFlight: 2, Refused: 12, LastAt: end}, {ID: "twilio", State: "open", Sent: 40, Failed: 5, LastReason: "answered 503 Service Unavailable", LastAt: end, RestingUntil: end.Add(12 * time.Second)}, {ID: "messagebird", State: "resting", RestingUntil: end.Add(time.Minute)}}
	}
	w.opt.Limits = []console.Limit{{"Wrong tokens per client address", "limits.token_failures_per_address", "10 in 15m"}}
	w.rebuild()
	t.Log("claim", c.ID)
	b := w.administrator()
	os.WriteFile("/tmp/console-cookie", []byte(b.cookies["holdline_console"]+" "+c.ID), 0o600)
	http.ListenAndServe(at, http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if _, err := r.Cookie("holdline_console"); err != nil && r.URL.Query().Get("out") == "" {
			r.AddCookie(&http.Cookie{Name: "holdline_console", Value: b.cookies["holdline_console"]})
		}
		if p := r.URL.Query().Get("post"); p != "" {
			r.Method = "POST"
		}
		w.handler.ServeHTTP(rw, r)
	}))
}

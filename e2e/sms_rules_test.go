package e2e_test

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/holdline/holdline/e2e/harness"
)

// noWith200 are answers of providers that took no text, and how the gateway is told
// what they mean.
var noWith200 = []struct {
	what, body, preset, rule string
}{
	{"no balance", `{"type":"error","message":"Insufficient balance"}`, "msg91", ""},
	{"bad credentials", `{"error":101,"message":"Authorization failed"}`, "smsapi", ""},
	{"return is false", `{"return":false,"status_code":412}`, "fast2sms", ""},
	{"not accepted", `{"messages":[{"accepted":false,"errorDescription":"Invalid destination address"}]}`, "clickatell", ""},
	{"rejected", `{"messages":[{"status":{"groupName":"REJECTED"}}]}`, "infobip", ""},
	{"a limit", `{"Code":"isv.BUSINESS_LIMIT_CONTROL","Message":"Permits:5"}`, "alibaba", ""},
	{"text", `ERROR:11`, "smsapi", ""},
	{"a page", `<!DOCTYPE html><html><body>Sign in to the network</body></html>`, "infobip", ""},
	{"nothing", ``, "telnyx", ""},
	{"no, by a rule of one's own", `OFF`, "", `function(ctx) {sent: ctx.body == 'ON', permanent: true, reason: 'it says ' + ctx.body}`},
	{"what no rule knows", `{"status":"?"}`, "", `function(ctx) {sent: ctx.body.ok}`},
}

// A provider that says no with 200 is passed over: the same code goes out by the
// next one, and never counts as sent by the first.
func TestANoWith200IsPassedOver(t *testing.T) {
	t.Parallel()
	var gateways, routes []harness.Overlay
	faulty := make([]*harness.Provider, len(noWith200))
	for i, tt := range noWith200 {
		faulty[i] = harness.NewProvider(t)
		faulty[i].Always(harness.Reaction{Body: []byte(tt.body)})
		id := fmt.Sprintf("faulty-%d", i)
		gateway := faulty[i].Gateway(id)
		delete(gateway, "response")
		if gateway["preset"] = tt.preset; tt.preset == "" {
			delete(gateway, "preset")
			gateway["response"] = "base64://" + base64.StdEncoding.EncodeToString([]byte(tt.rule))
		}
		gateway["timeout"] = "2s"
		gateways = append(gateways, gateway)
		routes = append(routes, harness.Overlay{"calling_codes": []string{fmt.Sprintf("4474%02d", i)}, "gateways": []string{id, "provider"}})
	}
	s := harness.NewStack(t, harness.Options{Gateways: gateways, Holdline: harness.Overlay{
		"sms":     harness.Overlay{"routes": routes},
		"notices": harness.Overlay{"old_number": false}, // they would ask all of them in turn
	}})
	for i, tt := range noWith200 {
		t.Run(tt.what, func(t *testing.T) {
			number := fmt.Sprintf("+4474%02d123456", i)
			bob := s.NewPerson(t, fmt.Sprintf("+49151234567%02d", i))
			bob.MustSave(t, harness.Profile{Name: "After", Mobile: number})
			text := s.Provider.Nth(t, number, 1)
			asked := faulty[i].Texts(number)
			if len(asked) == 0 {
				t.Fatal("the first provider was not asked")
			}
			wantSame(t, append(asked, text))
			awaitText(t, bob, "sent")
			if by := s.Database.Count(t, "texts", "identity_id = ? AND state = 'sent' AND gateway = 'provider'", bob.ID); by != 1 {
				t.Errorf("texts that the next gateway sent: got %d, want 1", by)
			}
			wantEmpty(t, bob.Confirm(t, text.Code), http.StatusAccepted)
			wantMade(t, bob, number)
			wantTexts(t, s, number, 1)
		})
	}
	if log := s.Holdline.Output.String(); strings.Contains(log, "Permits") || strings.Contains(log, "Sign in to the network") {
		t.Error("the log has what a provider wrote")
	}
}

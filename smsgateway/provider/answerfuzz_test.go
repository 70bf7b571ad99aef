package provider_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/holdline/holdline/smsgateway"
	"github.com/holdline/holdline/smsgateway/provider"
	"github.com/holdline/holdline/smsgateway/smstest"
)

// yes is what each provider's yes has in it, one of these.
var yes = map[string][]string{
	"africastalking": {"100", "101", "102", "Success"}, "alibaba": {"OK"}, "bird": {"id"}, "clickatell": {"true"}, "fast2sms": {"true"},
	"infobip": {"PENDING", "DELIVERED", "REJECTED_DUPLICATE_MESSAGE_ID"}, "kannel": {"0:", "3:"}, "messagebird": {"id"}, "msg91": {"success"},
	"plivo": {"message_uuid"}, "sinch": {"id"}, "smsapi": {"OK:", "QUEUE", "SENT", "DELIVERED", "ACCEPTED", "RENEWAL", "53"},
	"telnyx": {"id"}, "twilio": {"sid"}, "vonage": {"message-id"},
}

// Whatever a provider answers, a preset makes something of it that the worker knows,
// takes nothing for a yes that has nothing of one, and repeats no secret.
func FuzzAnswersOfProviders(f *testing.F) {
	names := provider.Presets()
	for i, name := range names {
		answers, err := readRecorded(name)
		if err != nil {
			f.Fatal(err)
		}
		for _, a := range answers {
			f.Add(uint8(i), a.Status, a.Body)
		}
		f.Add(uint8(i), 200, "<html>"+smstest.Number+" "+smstest.Code+"</html>")
		f.Add(uint8(i), 400, `{"error":"`+smstest.Number+`","errors":[{"code":"`+smstest.Code+`"}],"message":"`+smstest.Number+`","type":"error","Code":"`+smstest.Code+`"}`)
	}
	f.Fuzz(func(t *testing.T, which uint8, status int, body string) {
		if status < 200 || status > 599 {
			t.Skip("no status")
		}
		name := names[int(which)%len(names)]
		synctest.Test(t, func(t *testing.T) {
			options := provider.HTTPOptions{Transport: transport(func(*http.Request) (*http.Response, error) {
				w := httptest.NewRecorder()
				w.WriteHeader(status)
				_, _ = w.WriteString(body)
				return w.Result(), nil
			})}
			_, err := presetGateway(t, name, "https://sms.example.com", options).Send(t.Context(), smstest.NewMessage())
			if err != nil && errors.Is(err, smsgateway.ErrUnclear) {
				t.Errorf("%s: a whole answer is unclear: %v", name, err)
			}
			if err == nil && (status >= 500 || status == 429 || status >= 300 && status < 400) {
				t.Errorf("%s: %d is sent", name, status)
			}
			if err == nil && !slices.ContainsFunc(yes[name], func(part string) bool {
				return strings.Contains(body, part) || strings.Contains(body, `\u`) // JSON may write it otherwise
			}) {
				t.Errorf("%s: %q is sent", name, body)
			}
			saysNothing(t, err)
		})
	})
}

package provider_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holdline/holdline/smsgateway"
	"github.com/holdline/holdline/smsgateway/provider"
	"github.com/holdline/holdline/smsgateway/smstest"
)

// verdict names what an error means for the worker.
func verdict(err error) string {
	var later *smsgateway.RetryError
	switch {
	case err == nil:
		return "sent"
	case errors.Is(err, smsgateway.ErrAccount):
		return "account"
	case errors.Is(err, smsgateway.ErrRefused):
		return "refused"
	case errors.Is(err, smsgateway.ErrUnclear):
		return "unclear"
	case errors.Is(err, smsgateway.ErrUnsure):
		return "unsure"
	case errors.As(err, &later) && later.After > 0:
		return "passes after " + later.After.String()
	}
	return "passes"
}

// said is what a provider answers.
type said struct {
	status int
	body   string
	want   string
}

// vonageSays is an answer of Vonage with the statuses of a text's parts.
func vonageSays(statuses ...string) string {
	parts := ""
	for i, status := range statuses {
		if i > 0 {
			parts += ","
		}
		parts += fmt.Sprintf(`{"to":"%s","status":%q,"message-id":"m-%d","error-text":"about %s"}`, smstest.Number, status, i, smstest.Code)
	}
	return fmt.Sprintf(`{"message-count":"%d","messages":[%s]}`, len(statuses), parts)
}

func twilioSays(errorCode int) string {
	return fmt.Sprintf(`{"code":%d,"message":"'To' %s is wrong","more_info":"https://www.twilio.com/docs/errors/%[1]d","status":400}`, errorCode, smstest.Number)
}

func messageBirdSays(errorCode int) string {
	return fmt.Sprintf(`{"errors":[{"code":%d,"description":"no for %s","parameter":null}]}`, errorCode, smstest.Number)
}

func sinchSays(errorCode string) string {
	return fmt.Sprintf(`{"code":%q,"text":"no for %s"}`, errorCode, smstest.Number)
}

func snsSays(errorCode string) string {
	return fmt.Sprintf(`<ErrorResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/"><Error><Type>Sender</Type><Code>%s</Code>
		<Message>no for %s</Message></Error><RequestId>r-1</RequestId></ErrorResponse>`, errorCode, smstest.Number)
}

// documented are the answers that the providers document, each class of them.
var documented = map[string][]said{
	"vonage": {
		{200, vonageSays("0", "0"), "sent"},
		{200, vonageSays("1"), "passes"},
		{200, vonageSays("5"), "passes"},
		{200, vonageSays("10"), "passes"},
		{200, vonageSays("2"), "account"},
		{200, vonageSays("4"), "account"},
		{200, vonageSays("8"), "account"},
		{200, vonageSays("9"), "account"},
		{200, vonageSays("11"), "account"},
		{200, vonageSays("14"), "account"},
		{200, vonageSays("32"), "account"},
		{200, vonageSays("3"), "refused"},
		{200, vonageSays("6"), "refused"},
		{200, vonageSays("7"), "refused"},
		{200, vonageSays("15"), "refused"},
		{200, vonageSays("22"), "refused"},
		{200, vonageSays("29"), "refused"},
		{200, vonageSays("33"), "refused"},
		{200, vonageSays("481516"), "refused"},
		{200, vonageSays("0", "7"), "refused"},
		{200, vonageSays("0", "1"), "passes"},
		{200, `{"message-count":"0","messages":[]}`, "unsure"},
		{401, `{"type":"unauthorized"}`, "account"},
		{420, "", "refused"},
	},
	"twilio": {
		{429, twilioSays(20429), "passes after 7s"},
		{503, twilioSays(20503), "passes after 7s"},
		{400, twilioSays(21611), "passes after 7s"},
		{401, twilioSays(20003), "account"},
		{403, twilioSays(20005), "account"},
		{404, twilioSays(20404), "account"},
		{400, twilioSays(21606), "account"},
		{400, twilioSays(21659), "account"},
		{400, twilioSays(21608), "account"},
		{429, twilioSays(63038), "account"},
		{404, "", "account"},
		{400, twilioSays(21211), "refused"},
		{400, twilioSays(21214), "refused"},
		{403, twilioSays(21408), "refused"},
		{400, twilioSays(21610), "refused"},
		{400, twilioSays(21612), "refused"},
		{400, twilioSays(21614), "refused"},
		{400, twilioSays(99999), "refused"},
		{201, `{"sid":"SM1","status":"failed","error_code":30003}`, "refused"},
		{201, `{"sid":"SM1","status":"failed","error_code":null}`, "refused"},
		{200, `{"status":"queued"}`, "unsure"},
	},
	"messagebird": {
		{401, messageBirdSays(2), "account"},
		{402, messageBirdSays(25), "account"},
		{422, messageBirdSays(25), "account"},
		{422, messageBirdSays(9), "refused"},
		{422, messageBirdSays(10), "refused"},
		{422, messageBirdSays(99), "passes after 7s"},
		{429, "", "passes after 7s"},
		{500, "", "passes after 7s"},
		{201, `{"id":"a","recipients":{"items":[{"status":"delivery_failed"}]}}`, "refused"},
		{201, `{}`, "unsure"},
	},
	"bird": {
		{401, `{"code":"Unauthorized"}`, "account"},
		{402, `{}`, "account"},
		{403, `{"code":"AccessDenied"}`, "account"},
		{404, `{"code":"ResourceNotFound"}`, "account"},
		{422, `{"code":"InvalidPayload"}`, "refused"},
		{400, `{}`, "refused"},
		{429, `{}`, "passes after 7s"},
		{202, `{"id":"a","status":"rejected"}`, "refused"},
		{202, `{"status":"accepted"}`, "unsure"},
	},
	"sinch": {
		{400, sinchSays("syntax_invalid_parameter_format"), "refused"},
		{400, sinchSays("syntax_constraint_violation"), "refused"},
		{401, "", "account"},
		{403, sinchSays("blocked_account"), "account"},
		{403, sinchSays("missing_callback_url"), "account"},
		{403, sinchSays("illegal_number_type"), "refused"},
		{404, "", "account"},
		{429, "", "passes after 7s"},
		{201, `{"to":[]}`, "unsure"},
	},
	"kannel": {
		{202, "3: Queued for later delivery", "sent"},
		{403, "Authorization failed for sendsms", "account"},
		{403, "Number(s) has/have been denied by white- and/or black-lists.", "refused"},
		{400, "Empty receiver number not allowed, rejected", "refused"},
		{404, "Unknown request.", "account"},
		{503, "Temporal failure, try again later.", "passes after 7s"},
		{200, "<html>A proxy says hello.</html>", "unsure"},
	},
	"sns": {
		{429, snsSays("Throttled"), "passes after 7s"},
		{400, snsSays("Throttling"), "passes after 7s"},
		{500, snsSays("InternalError"), "passes after 7s"},
		{403, snsSays("AuthorizationError"), "account"},
		{403, snsSays("InvalidClientTokenId"), "account"},
		{403, snsSays("SignatureDoesNotMatch"), "account"},
		{400, snsSays("OptInRequired"), "account"},
		{400, snsSays("InvalidParameter"), "refused"},
		{400, snsSays("OptedOut"), "refused"},
		{400, snsSays("ValidationError"), "refused"},
		{400, snsSays(smstest.Code), "refused"},
		{502, "<html>", "passes after 7s"},
		{200, "<PublishResponse/>", "unsure"},
	},
	"http": {
		{401, "", "account"}, {402, "", "account"}, {403, "", "account"}, {404, "", "refused"}, {400, "", "refused"},
	},
}

func TestDocumentedAnswersAreUnderstood(t *testing.T) {
	for name, list := range documented {
		for _, tt := range list {
			t.Run(fmt.Sprintf("%s %d %s", name, tt.status, tt.body), func(t *testing.T) {
				tt.isUnderstood(t, func(t *testing.T, endpoint string, options provider.HTTPOptions) smsgateway.Gateway {
					t.Helper()
					return preset(t, name, endpoint, options)
				})
			})
		}
	}
}

// isUnderstood gives the answer to a gateway, and looks at what that makes of it. An
// answer that is not understood costs the whole time-out, which passes at once
// without a network.
func (s said) isUnderstood(t *testing.T, make func(*testing.T, string, provider.HTTPOptions) smsgateway.Gateway) (id, reason string) {
	t.Helper()
	answer := func(w http.ResponseWriter, _ *http.Request) {
		if s.want != "passes" {
			w.Header().Set("Retry-After", "7")
		}
		w.WriteHeader(s.status)
		_, _ = w.Write([]byte(s.body))
	}
	try := func(t *testing.T, endpoint string, options provider.HTTPOptions) {
		t.Helper()
		var err error
		id, err = make(t, endpoint, options).Send(t.Context(), smstest.NewMessage())
		if got := verdict(err); got != s.want {
			t.Errorf("got %s, want %s (%v)", got, s.want, err)
		}
		saysNothing(t, err)
		if err != nil {
			reason = err.Error()
		}
	}
	if s.want != "unsure" {
		try(t, smstest.NewServer(t, answer).URL, smstest.Patient)
		return id, reason
	}
	synctest.Test(t, func(t *testing.T) {
		asked := 0
		options := smstest.Patient
		options.Transport = transport(func(r *http.Request) (*http.Response, error) {
			asked++
			w := httptest.NewRecorder()
			answer(w, r)
			return w.Result(), nil
		})
		begun := time.Now()
		try(t, "https://provider.example.com", options)
		if waited := time.Since(begun); asked != 2 || waited != options.Timeout {
			t.Errorf("asked %d times within %v, want twice within %v", asked, waited, options.Timeout)
		}
	})
	return id, reason
}

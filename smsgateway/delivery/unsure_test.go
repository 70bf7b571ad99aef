package delivery_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holdline/holdline/internal/message"
	"github.com/holdline/holdline/smsgateway"
	"github.com/holdline/holdline/smsgateway/provider"
	"github.com/holdline/holdline/smsgateway/smstest"
)

// double is a provider without a network, for tests in which time passes at once.
type double struct {
	says  func(n int) (status int, body string)
	asked []time.Time
	keys  []string
	texts []string
}

func (d *double) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	d.asked = append(d.asked, time.Now())
	d.keys = append(d.keys, r.Header.Get("Idempotency-Key"))
	d.texts = append(d.texts, string(body))
	w := httptest.NewRecorder()
	status, said := d.says(len(d.asked))
	w.WriteHeader(status)
	_, _ = w.WriteString(said)
	return w.Result(), nil
}

func saysAlways(status int, body string) func(int) (int, string) {
	return func(int) (int, string) { return status, body }
}

// route is a gateway with a preset, or with a rule if the name is blank.
func (d *double) route(t *testing.T, preset string) smsgateway.Gateway {
	t.Helper()
	options := provider.HTTPOptions{Timeout: 4 * time.Second, EvaluationLimit: time.Minute, Transport: d}
	options.Custom.Preset = preset
	if preset == "" {
		options.Custom.Response = smstest.Inline(`function(ctx) if std.isObject(ctx.body) && std.objectHas(ctx.body, 'ok') then {
			sent: ctx.body.ok, id: std.get(ctx.body, 'id'),
		} else {}`)
	}
	return smstest.NewHTTP(t, provider.RequestConfig{
		URL: "https://sms.example.com", Body: smstest.Inline(`function(ctx) {to: ctx.recipient, text: ctx.body}`),
	}, options)
}

// Providers say no with 200 in these ways.
func TestANoWith200IsNotSent(t *testing.T) {
	const page, sign = "an HTML page", "<!DOCTYPE html><html><body>Sign in</body></html>"
	for name, tt := range map[string]struct {
		preset, body string
		unsure       bool
	}{
		"no balance":       {"msg91", `{"type":"error","message":"Insufficient balance"}`, false},
		"bad credentials":  {"smsapi", `{"error":101,"message":"Authorization failed"}`, false},
		"return is false":  {"fast2sms", `{"return":false,"status_code":412}`, false},
		"not accepted":     {"clickatell", `{"messages":[{"accepted":false,"errorDescription":"…"}]}`, false},
		"rejected":         {"infobip", `{"messages":[{"status":{"groupName":"REJECTED"}}]}`, false},
		"limit":            {"alibaba", `{"Code":"isv.BUSINESS_LIMIT_CONTROL","Message":"…"}`, false},
		"text":             {"smsapi", "ERROR:11", false},
		"no, by a rule":    {"", `{"ok":false}`, false},
		page:               {"smsapi", sign, true},
		page + ", a rule":  {"", sign, true},
		page + ", twilio":  {"twilio", sign, true},
		page + ", infobip": {"infobip", sign, true},
		"nothing":          {"clickatell", "", true},
		"nothing, a rule":  {"", "", true},
		"nothing, vonage":  {"vonage", "", true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				text := queued("text-1")
				text.LeaseUntil = smstest.Start
				o := newOutbox(text)
				first, second := &double{says: saysAlways(200, tt.body)}, &double{says: saysAlways(200, `{"ok":true,"id":"b"}`)}
				b := newBench(t, o, nil, first.route(t, tt.preset), second.route(t, ""))
				begun := time.Now()
				if err := b.Once(t.Context()); err != nil {
					t.Fatal(err)
				}
				got := o.row("text-1").result
				if got.State != message.TextSent || got.Gateway != "gateway-2" || got.ProviderID != "b" {
					t.Errorf("got %+v, want it sent by gateway-2", got)
				}
				asked, after := 1, time.Duration(0)
				if tt.unsure {
					asked, after = 2, 4*time.Second
				}
				if len(first.asked) != asked || len(second.asked) != 1 || second.asked[0].Sub(begun) != after {
					t.Errorf("asked %d and %d times, the second after %v; want %d and 1 after %v",
						len(first.asked), len(second.asked), second.asked[0].Sub(begun), asked, after)
				}
				for i, said := range append(first.texts, second.texts...) {
					if key := append(first.keys, second.keys...)[i]; !strings.Contains(said, smstest.Code) || key != "text-1" {
						t.Errorf("request %d: got %s with key %q, want the same code and key", i, said, key)
					}
				}
				if log := b.log.String(); strings.Contains(log, smstest.Number) || strings.Contains(log, smstest.Code) {
					t.Errorf("the log has it: %s", log)
				}
			})
		})
	}
}

func TestAnAnswerThatIsUnderstoodAtLastIsTaken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		text := queued("text-1")
		text.LeaseUntil = smstest.Start
		o := newOutbox(text)
		first := &double{says: func(n int) (int, string) {
			if n == 1 {
				return 200, "<html>"
			}
			return 200, `{"ok":true,"id":"a"}`
		}}
		second := &double{says: saysAlways(200, `{"ok":true,"id":"b"}`)}
		b := newBench(t, o, nil, first.route(t, ""), second.route(t, ""))
		if err := b.Once(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := o.row("text-1").result; got.State != message.TextSent || got.ProviderID != "a" || len(second.asked) != 0 {
			t.Errorf("got %+v, the second asked %d times", got, len(second.asked))
		}
		if pause := first.asked[1].Sub(first.asked[0]); pause != 2*time.Second {
			t.Errorf("asked again after %v, want half of the time-out", pause)
		}
	})
}

// However often a gateway is asked, what it never says clearly is never sent.
func TestWhatNobodyUnderstandsNeverCountsAsSent(t *testing.T) {
	for name, gateways := range map[string]int{"one gateway": 1, "two gateways": 2} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				text := queued("text-1")
				text.LeaseUntil = smstest.Start
				o := newOutbox(text)
				first, second := &double{says: saysAlways(200, "<html>")}, &double{says: saysAlways(200, "")}
				b := newBench(t, o, nil, []smsgateway.Gateway{first.route(t, ""), second.route(t, "")}[:gateways]...)
				rounds := 0
				for ; o.row("text-1").result.State == message.TextQueued && rounds < 10; rounds++ {
					if err := b.Once(t.Context()); err != nil {
						t.Fatal(err)
					}
					b.clock.move(31 * time.Second)
				}
				got := o.row("text-1").result
				if got.State != message.TextFailed || rounds != 3 || !strings.Contains(got.Reason, "not understood") {
					t.Errorf("got %+v after %d rounds, want it failed after 3", got, rounds)
				}
				if health := b.Health()[0]; health.Failed != 3 || health.Sent != 0 {
					t.Errorf("got %+v, want three failures", health)
				}
			})
		})
	}
}

func TestAGatewayThatNobodyUnderstandsIsLeftAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOutbox()
		first, second := &double{says: saysAlways(200, "<html>")}, &double{says: saysAlways(200, `{"ok":true,"id":"b"}`)}
		b := newBench(t, o, nil, first.route(t, ""), second.route(t, ""))
		for _, id := range []string{"a", "b", "c", "d", "e", "f"} {
			text := queued(id)
			text.LeaseUntil = smstest.Start
			o.add(text)
			if err := b.Once(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if health := b.Health()[0]; health.State != smsgateway.GatewayOpen || len(first.asked) != 10 || len(second.asked) != 6 {
			t.Errorf("got %s, asked %d and %d times, want open after five texts", health.State, len(first.asked), len(second.asked))
		}
	})
}

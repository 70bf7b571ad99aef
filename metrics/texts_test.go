package metrics_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/holdline/holdline/internal/message"
	"github.com/holdline/holdline/internal/problem"
	"github.com/holdline/holdline/internal/storetest"
	"github.com/holdline/holdline/smsgateway"
)

// answers is a gateway that fails as it is told to.
type answers struct{ err error }

func (a answers) Send(context.Context, smsgateway.Message) (string, error) { return "id", a.err }

func TestSendsAreCountedByTheGatewaysAnswer(t *testing.T) {
	for outcome, err := range map[string]error{
		"sent":    nil,
		"refused": fmt.Errorf("number: %w", smsgateway.ErrRefused),
		"unsure":  fmt.Errorf("%w: a page", smsgateway.ErrUnsure),
		"unclear": fmt.Errorf("%w: no answer", smsgateway.ErrUnclear),
		"failed":  &smsgateway.RetryError{Reason: "busy", After: time.Second},
	} {
		t.Run(outcome, func(t *testing.T) {
			m := newMeter(t)
			gateway := m.Gateway("main", answers{err})
			for _, kind := range []message.TextKind{"", message.TextCode, message.TextChanged} {
				if id, got := gateway.Send(t.Context(), smsgateway.Message{Kind: kind}); id != "id" || !errors.Is(got, err) {
					t.Errorf("got %q, %v", id, got)
				}
			}
			m.want(2, "holdline_gateway_sends_total", "gateway", "main", "kind", "code", "outcome", outcome)
			m.want(1, "holdline_gateway_sends_total", "gateway", "main", "kind", "changed", "outcome", outcome)
			m.want(3, "holdline_gateway_send_duration_seconds", "gateway", "main")
		})
	}
}

func TestTextsAreCountedAtTheirEnd(t *testing.T) {
	m := newMeter(t)
	text := message.Text{CreatedAt: noon}
	m.TextEnded(text, message.TextResult{State: message.TextSent, At: noon.Add(2 * time.Second)})
	m.TextEnded(text, message.TextResult{State: message.TextDropped, At: noon.Add(time.Hour)})
	m.want(1, "holdline_texts_total", "kind", "code", "state", "sent")
	m.want(1, "holdline_texts_total", "kind", "code", "state", "dropped")
	m.want(1, "holdline_text_wait_seconds", "kind", "code")
	for _, metric := range m.families()["holdline_text_wait_seconds"].GetMetric() {
		if fits(metric, []string{"kind", "code"}) && metric.GetHistogram().GetSampleSum() != 2 {
			t.Errorf("waited %v s, want 2", metric.GetHistogram().GetSampleSum())
		}
	}
}

// While replicas are replaced, an older one meets what a newer one has written.
func TestAKindOfANewerReleaseIsCountedAsOther(t *testing.T) {
	m := newMeter(t)
	const newer message.TextKind = "newer"
	if _, err := m.Gateway("main", answers{}).Send(t.Context(), smsgateway.Message{Kind: newer}); err != nil {
		t.Error(err)
	}
	m.TextEnded(message.Text{Kind: newer, CreatedAt: noon}, message.TextResult{State: message.TextSent, At: noon})
	m.want(1, "holdline_gateway_sends_total", "gateway", "main", "kind", "other", "outcome", "sent")
	m.want(1, "holdline_texts_total", "kind", "other", "state", "sent")
	m.want(1, "holdline_text_wait_seconds", "kind", "other")
}

func TestReceiptsAreCountedWhenTheyAreKept(t *testing.T) {
	m, store := newMeter(t), storetest.NewStore()
	keeper := m.Receipts(store)
	receipt := message.Receipt{Gateway: "main", Message: "1", State: message.ReceiptDelivered, At: noon}
	if err := keeper.Record(t.Context(), receipt); err != nil {
		t.Fatal(err)
	}
	store.Fail(problem.ErrStoreUnavailable)
	if err := keeper.Record(t.Context(), receipt); err == nil {
		t.Error("kept by a store that is away")
	}
	m.want(1, "holdline_gateway_receipts_total", "gateway", "main", "status", "delivered")
}

func TestAGatewaysStateIsTheOneThatIsOne(t *testing.T) {
	m := newMeter(t)
	m.GatewayHealth(func() []smsgateway.GatewayHealth {
		return []smsgateway.GatewayHealth{{ID: "main", State: smsgateway.GatewayOpen, InFlight: 3}}
	})
	for state, want := range map[string]float64{"closed": 0, "open": 1, "half-open": 0, "resting": 0} {
		m.want(want, "holdline_gateway_state", "gateway", "main", "state", state)
	}
	m.want(3, "holdline_gateway_sends_in_flight", "gateway", "main")
}

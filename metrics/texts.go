package metrics

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"

	"github.com/holdline/holdline/internal/message"
	"github.com/holdline/holdline/smsgateway"
)

// otherKind stands for kinds that a newer release has put into the database.
const otherKind message.TextKind = "other"

var textKinds = []message.TextKind{message.TextCode, message.TextRequested, message.TextChanged, message.TextRemoved, message.TextTaken, message.TextDisputed, otherKind}

// The outcomes of a send.
const (
	sendSent    = "sent"
	sendRefused = "refused" // the gateway never will
	sendUnclear = "unclear" // it may have
	sendUnsure  = "unsure"  // it may have, and answers what nobody understands
	sendFailed  = "failed"  // it did not this time
)

// texts count what becomes of texts, and what gateways and their providers say.
type texts struct {
	sends    *prometheus.CounterVec
	sendTook *prometheus.HistogramVec
	ended    map[message.TextKind]outcomes
	waited   map[message.TextKind]prometheus.Observer
	receipts *prometheus.CounterVec
}

func newTexts(with promauto.Factory) texts {
	ended := with.NewCounterVec(prometheus.CounterOpts{
		Namespace: namespace, Name: "texts_total", Help: "Texts that came to their end, by kind and state.",
	}, []string{"kind", "state"})
	waited := with.NewHistogramVec(prometheus.HistogramOpts{
		Namespace: namespace, Name: "text_wait_seconds",
		Help:    "From the moment when a text may go out until a gateway has taken it.",
		Buckets: []float64{.01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60, 300},
	}, []string{"kind"})
	t := texts{
		sends: with.NewCounterVec(prometheus.CounterOpts{
			Namespace: namespace, Subsystem: "gateway", Name: "sends_total",
			Help: "Texts that a gateway was asked to send, by its answer.",
		}, []string{"gateway", "kind", "outcome"}),
		sendTook: with.NewHistogramVec(prometheus.HistogramOpts{
			Namespace: namespace, Subsystem: "gateway", Name: "send_duration_seconds",
			Help: "How long gateways took to answer.", Buckets: quick,
		}, []string{"gateway"}),
		receipts: with.NewCounterVec(prometheus.CounterOpts{
			Namespace: namespace, Subsystem: "gateway", Name: "receipts_total",
			Help: "Proven delivery receipts, by what they say.",
		}, []string{"gateway", "status"}),
		ended: map[message.TextKind]outcomes{}, waited: map[message.TextKind]prometheus.Observer{},
	}
	for _, kind := range textKinds {
		t.ended[kind] = newOutcomes(ended.MustCurryWith(prometheus.Labels{"kind": string(kind)}),
			string(message.TextSent), string(message.TextFailed), string(message.TextDropped))
		t.waited[kind] = waited.WithLabelValues(string(kind))
	}
	return t
}

// kindOf is one of textKinds; blank stands for a code.
func kindOf(kind message.TextKind) message.TextKind {
	switch {
	case kind == "":
		return message.TextCode
	case slices.Contains(textKinds, kind):
		return kind
	default:
		return otherKind
	}
}

// TextEnded hears of texts that came to their end in this process, of each at most
// once.
func (m *Metrics) TextEnded(t message.Text, r message.TextResult) {
	kind := kindOf(t.Kind)
	m.texts.ended[kind].count(string(r.State))
	if r.State == message.TextSent {
		m.texts.waited[kind].Observe(max(0, r.At.Sub(t.CreatedAt)).Seconds())
	}
}

// gateway counts what another one does.
type gateway struct {
	smsgateway.Gateway
	now   func() time.Time
	sends map[message.TextKind]outcomes
	took  prometheus.Observer
}

// Gateway returns a gateway that counts, under the gateway's id.
func (m *Metrics) Gateway(id string, of smsgateway.Gateway) smsgateway.Gateway {
	g := gateway{of, m.now, map[message.TextKind]outcomes{}, m.texts.sendTook.WithLabelValues(id)}
	for _, kind := range textKinds {
		g.sends[kind] = newOutcomes(m.texts.sends.MustCurryWith(prometheus.Labels{"gateway": id, "kind": string(kind)}),
			sendSent, sendRefused, sendUnclear, sendUnsure, sendFailed)
	}
	return g
}

// Send implements [smsgateway.Gateway].
func (g gateway) Send(ctx context.Context, msg smsgateway.Message) (string, error) {
	began := g.now()
	id, err := g.Gateway.Send(ctx, msg)
	g.took.Observe(g.now().Sub(began).Seconds())
	g.sends[kindOf(msg.Kind)].count(sendOutcome(err))
	return id, err
}

func sendOutcome(err error) string {
	switch {
	case err == nil:
		return sendSent
	case errors.Is(err, smsgateway.ErrRefused):
		return sendRefused
	case errors.Is(err, smsgateway.ErrUnclear):
		return sendUnclear
	case errors.Is(err, smsgateway.ErrUnsure):
		return sendUnsure
	default:
		return sendFailed
	}
}

// receipts count those that are kept by another.
type receipts struct {
	message.Receipts
	total *prometheus.CounterVec
}

var receiptStates = []message.ReceiptState{message.ReceiptAccepted, message.ReceiptDelivered, message.ReceiptUndelivered}

// Receipts returns a keeper of receipts that counts them.
func (m *Metrics) Receipts(of message.Receipts) message.Receipts {
	return receipts{of, m.texts.receipts}
}

// ExpectReceipts begins the counts of a gateway at zero.
func (m *Metrics) ExpectReceipts(gateway string) {
	for _, state := range receiptStates {
		m.texts.receipts.WithLabelValues(gateway, string(state))
	}
}

// Record implements [message.Receipts].
func (r receipts) Record(ctx context.Context, receipt message.Receipt) error {
	err := r.Receipts.Record(ctx, receipt)
	if err == nil {
		r.total.WithLabelValues(receipt.Gateway, string(receipt.State)).Inc()
	}
	return err
}

var gatewayStates = []smsgateway.GatewayState{
	smsgateway.GatewayClosed, smsgateway.GatewayHalfOpen, smsgateway.GatewayOpen, smsgateway.GatewayResting,
}

var (
	gatewayState = prometheus.NewDesc(prometheus.BuildFQName(namespace, "gateway", "state"),
		"1 for the state that the gateway is in: closed is as usual, open means that its circuit breaker is open.",
		[]string{"gateway", "state"}, nil)
	gatewayInFlight = prometheus.NewDesc(prometheus.BuildFQName(namespace, "gateway", "sends_in_flight"),
		"Texts that the gateway is being asked to send now.", []string{"gateway"}, nil)
)

// health shows how the gateways are when it is asked.
type health func() []smsgateway.GatewayHealth

// GatewayHealth shows how the gateways are.
func (m *Metrics) GatewayHealth(now func() []smsgateway.GatewayHealth) {
	m.registry.MustRegister(health(now))
}

// Describe implements prometheus.Collector.
func (health) Describe(to chan<- *prometheus.Desc) { to <- gatewayState; to <- gatewayInFlight }

// Collect implements prometheus.Collector.
func (h health) Collect(to chan<- prometheus.Metric) {
	for _, g := range h() {
		for _, state := range gatewayStates {
			to <- prometheus.MustNewConstMetric(gatewayState, prometheus.GaugeValue, oneIf(g.State == state), g.ID, string(state))
		}
		to <- prometheus.MustNewConstMetric(gatewayInFlight, prometheus.GaugeValue, float64(g.InFlight), g.ID)
	}
}

func oneIf(is bool) float64 {
	if is {
		return 1
	}
	return 0
}

package wiring

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"os"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/google/uuid"

	"github.com/holdline/holdline/config"
	"github.com/holdline/holdline/internal/claim"
	"github.com/holdline/holdline/internal/message"
	"github.com/holdline/holdline/metrics"
	"github.com/holdline/holdline/smsgateway/delivery"
	"github.com/holdline/holdline/tracing"
)

// The listeners as metrics name them.
const (
	publicListener = "public"
	adminListener  = "admin"
)

// Observers look at what the program does. What they stand before is theirs to
// count and not to change.
type Observers struct {
	metrics *metrics.Metrics
	tracer  *tracing.Tracer // nil while tracing is off
	id      string          // of this process, among replicas
}

// Observe starts metrics, and tracing if it is on.
func Observe(ctx context.Context, cfg config.Config, release string, log *slog.Logger) (watched Observers, err error) {
	watched = Observers{metrics: metrics.New(release, time.Now), id: uuid.NewString()}
	if to := Tracing(cfg); to.On() {
		to.Release, to.Instance, to.Log = release, watched.id, log
		watched.tracer, err = tracing.New(ctx, to)
		// The configuration's endpoint was checked when it was read. Variables are often
		// set for many programs at once, some of which speak gRPC.
		if errors.Is(err, tracing.ErrEndpoint) {
			log.WarnContext(ctx, "no tracing: OTEL_EXPORTER_OTLP_… name no collector for it", "error", err)
			err = nil
		}
	}
	return watched, err
}

// Tracing is where spans go, by the configuration or by OpenTelemetry's variables.
func Tracing(cfg config.Config) tracing.Options {
	return tracing.Options{Endpoint: cfg.Tracing.Endpoint, Ratio: cfg.Tracing.Ratio}.FromEnvironment(os.Getenv)
}

// Close sends the spans that are left.
func (o Observers) Close(ctx context.Context) error {
	if o.tracer == nil {
		return nil
	}
	return o.tracer.Close(ctx)
}

// around goes around the requests of a listener. Those on the admin listener may
// say which trace they belong to: Kratos does.
func (o Observers) around(listener string) []gin.HandlerFunc {
	handlers := []gin.HandlerFunc{o.metrics.Requests(listener)}
	if o.tracer != nil {
		handlers = append(handlers, o.tracer.Requests(listener == adminListener))
	}
	return handlers
}

// onCommit hears of what happened to claims.
func (o Observers) onCommit(ctx context.Context, change claim.Change, withheld []message.Text) {
	o.metrics.OnCommit(ctx, change, withheld)
	if o.tracer != nil {
		o.tracer.OnCommit(ctx, change, withheld)
	}
}

// DatabaseCall hears of what the database is asked; nil while tracing is off.
func (o Observers) DatabaseCall() func(ctx context.Context, operation, table string) (context.Context, func(error)) {
	if o.tracer == nil {
		return nil
	}
	return o.tracer.DatabaseCall
}

// routes go before gateways.
func (o Observers) routes(routes []delivery.Route) {
	for i, route := range routes {
		gateway := o.metrics.Gateway(route.ID, route.Gateway)
		if o.tracer != nil {
			gateway = o.tracer.Gateway(route.ID, gateway)
		}
		routes[i].Gateway = gateway
	}
}

// kratosCall hears of requests to Kratos.
func (o Observers) kratosCall(ctx context.Context, operation string) (context.Context, func(error)) {
	ctx, counted := o.metrics.KratosCall(ctx, operation)
	if o.tracer == nil {
		return ctx, counted
	}
	ctx, traced := o.tracer.KratosCall(ctx, operation)
	return ctx, func(err error) { counted(err); traced(err) }
}

// propagation goes around the requests to Kratos; nil while tracing is off.
func (o Observers) propagation() func(http.RoundTripper) http.RoundTripper {
	if o.tracer == nil {
		return nil
	}
	return o.tracer.Propagate
}

// showInMetrics lets metrics show what others keep.
func (p *program) showInMetrics() {
	p.metrics.Database(p.db)
	p.metrics.Waiting(p.store.Waiting, p.clock.Now)
	p.metrics.Traffic(p.monitor)
	p.metrics.GatewayHealth(p.worker.Health)
	for id := range p.receipts.Readers {
		p.metrics.ExpectReceipts(id)
	}
}

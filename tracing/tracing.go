// Package tracing makes OpenTelemetry spans of what Holdline does, and sends them
// to a collector by OTLP. Like package metrics it watches from outside. While
// tracing is off nothing of it is in the way of any request: there is no [Tracer],
// and what would stand before a surface or a gateway, or hear of Kratos and the database,
// is left out.
//
// A span says which operation took how long and what kind of error it ended with.
// It never holds a number, a code, a path, a query, a statement, an address of a
// person or what an error says; claims and texts go by their ids.
package tracing

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"path"
	"strings"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"github.com/holdline/holdline/internal/claim"
	"github.com/holdline/holdline/internal/problem"
)

// Options say where spans go. [FromEnvironment] fills what is blank from the
// variables that OpenTelemetry has for it.
type Options struct {
	// Endpoint is the collector's URL; spans go to /v1/traces below it. Blank for no
	// tracing.
	Endpoint string
	// TracesEndpoint is the whole URL for spans instead.
	TracesEndpoint string
	// Protocol is what the environment asks for: one of OTLP over HTTP, or blank.
	Protocol string
	Headers  map[string]string // of each upload
	// Ratio is the share of the traces begun here that is kept, 0 to 1. A trace that
	// Kratos has begun is kept if Kratos keeps it.
	Ratio    float64
	Service  string // the name that Holdline goes by; "holdline" if blank
	Release  string
	Instance string // tells replicas apart
	Log      *slog.Logger
}

// FromEnvironment completes options from OTEL_EXPORTER_OTLP_ENDPOINT,
// OTEL_EXPORTER_OTLP_TRACES_ENDPOINT, the two variables each for the protocol of these
// and for headers, and OTEL_SERVICE_NAME. OTEL_SDK_DISABLED=true ends tracing
// (https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/).
// What is set already wins.
func (o Options) FromEnvironment(variable func(string) string) Options {
	if o.Endpoint == "" {
		o.Endpoint = variable("OTEL_EXPORTER_OTLP_ENDPOINT")
		o.TracesEndpoint = variable("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
		o.Protocol = cmp.Or(variable("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL"), variable("OTEL_EXPORTER_OTLP_PROTOCOL"))
	}
	if o.Service == "" {
		o.Service = variable("OTEL_SERVICE_NAME")
	}
	if o.Headers == nil {
		o.Headers = headers(variable("OTEL_EXPORTER_OTLP_HEADERS"), variable("OTEL_EXPORTER_OTLP_TRACES_HEADERS"))
	}
	if strings.EqualFold(variable("OTEL_SDK_DISABLED"), "true") {
		o.Endpoint, o.TracesEndpoint = "", ""
	}
	return o
}

// On reports whether there is anywhere to send spans to.
func (o Options) On() bool { return o.Endpoint != "" || o.TracesEndpoint != "" }

// headers reads lists such as api-key=x,tenant=y, in which values are escaped as in
// URLs (W3C Baggage). The later list wins.
func headers(lists ...string) map[string]string {
	found := map[string]string{}
	for _, pair := range strings.Split(strings.Join(lists, ","), ",") {
		name, value, ok := strings.Cut(strings.TrimSpace(pair), "=")
		if unescaped, err := url.PathUnescape(strings.TrimSpace(value)); ok && err == nil {
			found[strings.TrimSpace(name)] = unescaped
		}
	}
	return found
}

// ErrEndpoint says that spans cannot go where they should.
var ErrEndpoint = errors.New("tracing: the endpoint must be an http or https URL, for OTLP over HTTP")

func (o Options) url() (string, error) {
	// A collector takes Protobuf where it takes JSON.
	if o.Protocol != "" && !strings.HasPrefix(o.Protocol, "http/") {
		return "", fmt.Errorf("%w, and not for %q", ErrEndpoint, o.Protocol)
	}
	text := o.TracesEndpoint
	if text == "" {
		text = o.Endpoint
	}
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return "", ErrEndpoint
	}
	if o.TracesEndpoint == "" {
		u.Path = path.Join("/", u.Path, "v1/traces")
	}
	return u.String(), nil
}

const (
	uploadTime = 10 * time.Second
	// mostOrigins bounds the texts whose request is remembered until they are sent.
	mostOrigins = 4096
)

// Tracer makes spans.
type Tracer struct {
	provider *sdktrace.TracerProvider
	tracer   trace.Tracer
	wire     propagation.TraceContext
	// origins are the spans that texts were queued in, by the texts' ids.
	origins *lru.Cache[string, trace.SpanContext]
}

// New starts tracing; a batch goes out every few seconds. The error is ErrEndpoint.
// Call [Tracer.Close] at the end.
func New(ctx context.Context, o Options) (*Tracer, error) {
	address, err := o.url()
	if err != nil {
		return nil, err
	}
	exporter, err := otlptrace.New(ctx, newUploader(address, o.Headers))
	if err != nil {
		return nil, fmt.Errorf("start tracing: %w", err)
	}
	if o.Service == "" {
		o.Service = "holdline"
	}
	origins, err := lru.New[string, trace.SpanContext](mostOrigins)
	if err != nil {
		return nil, err
	}
	provider := sdktrace.NewTracerProvider(
		sdktrace.WithBatcher(outspoken{exporter, o.Log}),
		sdktrace.WithSampler(sdktrace.ParentBased(sdktrace.TraceIDRatioBased(o.Ratio))),
		sdktrace.WithResource(resource.NewSchemaless(
			attribute.String("service.name", o.Service), attribute.String("service.version", o.Release),
			attribute.String("service.instance.id", o.Instance))),
	)
	return &Tracer{
		provider: provider, tracer: provider.Tracer("github.com/holdline/holdline"), origins: origins,
	}, nil
}

// outspoken tells the log of spans that are lost. OpenTelemetry would tell a handler of
// errors that the whole program has but one of.
type outspoken struct {
	sdktrace.SpanExporter
	log *slog.Logger
}

// ExportSpans implements [sdktrace.SpanExporter].
func (e outspoken) ExportSpans(ctx context.Context, spans []sdktrace.ReadOnlySpan) error {
	if err := e.SpanExporter.ExportSpans(ctx, spans); err != nil {
		e.log.WarnContext(ctx, "spans are lost", "error", err, "spans", len(spans))
	}
	return nil
}

// Close sends what is left.
func (t *Tracer) Close(ctx context.Context) error { return t.provider.Shutdown(ctx) }

// child begins a span if ctx is within one that is kept. What happens in the
// background has no trace.
func (t *Tracer) child(ctx context.Context, name string, of ...trace.SpanStartOption) (context.Context, func(error)) {
	if !trace.SpanContextFromContext(ctx).IsSampled() {
		return ctx, func(error) {}
	}
	ctx, span := t.tracer.Start(ctx, name, of...)
	return ctx, func(err error) { end(span, err) }
}

// kinds are the errors that are worth a span's status; they stand for themselves.
// Others are how the domain says no.
var kinds = []error{problem.ErrStoreUnavailable, claim.ErrIdentitiesUnavailable, context.DeadlineExceeded, context.Canceled}

// end ends a span with the kind of an error. What the error says stays unsaid.
func end(span trace.Span, err error) {
	for _, kind := range kinds {
		if errors.Is(err, kind) {
			span.SetStatus(codes.Error, kind.Error())
			break
		}
	}
	span.End()
}

package tracing_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gin-gonic/gin"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"

	"github.com/holdline/holdline/internal/audit"
	"github.com/holdline/holdline/internal/claim"
	"github.com/holdline/holdline/internal/message"
	"github.com/holdline/holdline/internal/phone"
	"github.com/holdline/holdline/smsgateway"
	"github.com/holdline/holdline/tracing"
)

// collector is a server that takes spans, after so many statuses that refuse them.
type collector struct {
	*httptest.Server
	mu       sync.Mutex
	refusals []int
	tries    int
	header   http.Header
	spans    []*tracepb.Span
}

func newCollector(t *testing.T, refusals ...int) *collector {
	t.Helper()
	c := &collector{refusals: refusals}
	c.Server = httptest.NewServer(http.HandlerFunc(c.take))
	t.Cleanup(c.Close)
	return c
}

func (c *collector) take(w http.ResponseWriter, r *http.Request) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.tries++
	if len(c.refusals) > 0 {
		w.Header().Set("Retry-After", "0")
		w.WriteHeader(c.refusals[0])
		c.refusals = c.refusals[1:]
		return
	}
	body, err := io.ReadAll(r.Body)
	var data tracepb.TracesData
	if err != nil || r.URL.Path != "/base/v1/traces" || proto.Unmarshal(body, &data) != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	c.header = r.Header.Clone()
	for _, resource := range data.ResourceSpans {
		for _, scope := range resource.ScopeSpans {
			c.spans = append(c.spans, scope.Spans...)
		}
	}
}

// tracer starts tracing to the collector; end ends it and returns what arrived, by
// name.
func (c *collector) tracer(t *testing.T, ratio float64) (tracer *tracing.Tracer, end func() map[string]*tracepb.Span) {
	t.Helper()
	tracer, err := tracing.New(t.Context(), tracing.Options{
		Endpoint: c.URL + "/base", Ratio: ratio, Headers: map[string]string{"api-key": "k"}, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	return tracer, func() map[string]*tracepb.Span {
		if err := tracer.Close(context.WithoutCancel(t.Context())); err != nil {
			t.Errorf("close: %v", err)
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		named := map[string]*tracepb.Span{}
		for _, span := range c.spans {
			named[span.Name] = span
		}
		return named
	}
}

const (
	theirTrace  = "0af7651916cd43dd8448eb211c80319c"
	traceparent = "00-" + theirTrace + "-b7ad6b7169203331-01"
)

// serve asks a route for something, under a span.
func serve(t *testing.T, tracer *tracing.Tracer, trusted bool, target, parent string, do func(context.Context)) {
	t.Helper()
	engine := gin.New()
	engine.Use(tracer.Requests(trusted))
	engine.GET("/claims/:id", func(c *gin.Context) { do(c.Request.Context()); c.Status(http.StatusServiceUnavailable) })
	request := httptest.NewRequestWithContext(t.Context(), http.MethodGet, target, nil)
	if parent != "" {
		request.Header.Set("Traceparent", parent)
	}
	engine.ServeHTTP(httptest.NewRecorder(), request)
}

func attributes(span *tracepb.Span) string {
	var all []string
	for _, a := range span.GetAttributes() {
		all = append(all, a.Key+"="+a.Value.GetStringValue()+strings.TrimPrefix(fmt.Sprint(a.Value.GetIntValue()), "0"))
	}
	slices.Sort(all)
	return strings.Join(all, " ")
}

func TestARequestIsASpanByItsTemplate(t *testing.T) {
	for name, tt := range map[string]struct {
		trusted bool
		parent  string
		joins   bool
		links   int
	}{
		"of its own":                {true, "", false, 0},
		"in the trace of Kratos":    {true, traceparent, true, 0},
		"a stranger's trace":        {false, traceparent, false, 1},
		"what is no trace is noise": {true, "00-zz-yy-01", false, 0},
	} {
		t.Run(name, func(t *testing.T) {
			c := newCollector(t)
			tracer, end := c.tracer(t, 1)
			serve(t, tracer, tt.trusted, "/claims/+491711111111?code=123456", tt.parent, func(context.Context) {})
			spans := end()
			span := spans["GET /claims/:id"]
			if span == nil || len(spans) != 1 {
				t.Fatalf("got %v", spans)
			}
			if joined := fmt.Sprintf("%x", span.TraceId) == theirTrace; joined != tt.joins || len(span.Links) != tt.links {
				t.Errorf("joined: %t, links: %v", joined, span.Links)
			}
			if got := attributes(span); got != "http.request.method=GET http.response.status_code=503 http.route=/claims/:id" {
				t.Errorf("got %s", got)
			}
			if span.Status.GetCode() != tracepb.Status_STATUS_CODE_ERROR {
				t.Errorf("status %v", span.Status)
			}
		})
	}
}

func TestAPathWithoutARouteHasNoNameOfItsOwn(t *testing.T) {
	c := newCollector(t)
	tracer, end := c.tracer(t, 1)
	serve(t, tracer, true, "/+491711111111", "", func(context.Context) {})
	if spans := end(); spans["unmatched"] == nil || len(spans) != 1 || attributes(spans["unmatched"]) != "http.response.status_code=404" {
		t.Errorf("got %v", spans)
	}
}

func number(t *testing.T, text string) phone.Number {
	t.Helper()
	m, err := phone.Parse(phone.Parser{Format: phone.FormatE164}, text)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// gateway sends nothing, or fails.
type gateway struct{ err error }

func (g gateway) Send(context.Context, smsgateway.Message) (string, error) { return "", g.err }

var noon = time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)

// opening is a change that queues a text.
func opening(t *testing.T) claim.Change {
	t.Helper()
	m := number(t, "+491711111111")
	return claim.Change{
		Create: &claim.Claim{ID: "c1", IdentityID: "bob", Number: m, State: claim.Open, CreatedAt: noon, LapsesAt: noon},
		Text:   &message.Text{ID: "t1", IdentityID: "bob", To: m, CreatedAt: noon, LeaseUntil: noon},
		Events: []audit.Event{{ClaimID: "c1", IdentityID: "bob", Kind: "open", Number: m.String(), At: noon}},
		At:     noon,
	}
}

func TestWhatARequestLeadsToIsInItsTrace(t *testing.T) {
	c := newCollector(t)
	tracer, end := c.tracer(t, 1)
	kratosSaw := ""
	kratos := &http.Client{Transport: tracer.Propagate(roundTrip(func(r *http.Request) { kratosSaw = r.Header.Get("Traceparent") }))}
	serve(t, tracer, true, "/claims/1", "", func(ctx context.Context) {
		_, committed := tracer.DatabaseCall(ctx, "commit", "claims")
		committed(nil)
		tracer.OnCommit(ctx, opening(t), nil)
		ctx, ended := tracer.KratosCall(ctx, "write number")
		request, _ := http.NewRequestWithContext(ctx, http.MethodGet, "http://kratos.example", nil)
		if answer, err := kratos.Do(request); err == nil {
			answer.Body.Close()
		}
		ended(fmt.Errorf("write: %w: +491711111111", claim.ErrIdentitiesUnavailable))
	})
	// The worker sends it later, under another context.
	msg := smsgateway.Message{ID: "t1", Kind: message.TextCode, To: number(t, "+491711111111"), Body: "Your code is 123456", Code: "123456"}
	if _, err := tracer.Gateway("main", gateway{fmt.Errorf("%w: +491711111111", smsgateway.ErrRefused)}).Send(t.Context(), msg); !errors.Is(err, smsgateway.ErrRefused) {
		t.Error(err)
	}
	spans := end()
	root := spans["GET /claims/:id"]
	for name, want := range map[string]struct{ attributes, status string }{
		"store commit":        {"db.collection.name=claims db.operation.name=commit", ""},
		"kratos write number": {"", claim.ErrIdentitiesUnavailable.Error()},
		"gateway send":        {"holdline.gateway=main holdline.text.id=t1 holdline.text.kind=code", "refused"},
	} {
		span := spans[name]
		if span == nil || !bytes.Equal(span.TraceId, root.TraceId) {
			t.Errorf("%s is not in the trace: %v", name, span)
			continue
		}
		if got := attributes(span); got != want.attributes || span.Status.GetMessage() != want.status {
			t.Errorf("%s: got %s, %s", name, got, span.Status)
		}
		if strings.Contains(span.String(), "1711111111") || strings.Contains(span.String(), "123456") {
			t.Errorf("%s tells too much: %s", name, span)
		}
	}
	if events := root.GetEvents(); len(events) != 1 || events[0].Name != "claim open" {
		t.Errorf("events: %v", events)
	}
	if want := fmt.Sprintf("00-%x-%x-01", root.TraceId, spans["kratos write number"].SpanId); kratosSaw != want {
		t.Errorf("Kratos was told %q, want %q", kratosSaw, want)
	}
	if c.header.Get("Api-Key") != "k" || c.header.Get("Content-Type") != "application/x-protobuf" {
		t.Errorf("uploaded with %v", c.header)
	}
}

// roundTrip answers requests with nothing.
type roundTrip func(*http.Request)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) {
	f(r)
	return &http.Response{StatusCode: http.StatusNoContent, Body: http.NoBody, Request: r}, nil
}

func TestWhatIsNotKeptHasNoSpans(t *testing.T) {
	c := newCollector(t)
	tracer, end := c.tracer(t, 0)
	ask := func(ctx context.Context) {
		_, ended := tracer.DatabaseCall(ctx, "commit", "claims")
		ended(nil)
		tracer.OnCommit(ctx, opening(t), nil)
	}
	ask(t.Context()) // in the background
	serve(t, tracer, true, "/claims/1", "", ask)
	if _, err := tracer.Gateway("main", gateway{}).Send(t.Context(), smsgateway.Message{ID: "t1"}); err != nil {
		t.Error(err)
	}
	if spans := end(); len(spans) != 0 {
		t.Errorf("got %v", spans)
	}
}

func TestSpansAreSentAgainWhileTheCollectorIsBusy(t *testing.T) {
	for name, tt := range map[string]struct {
		refusals     []int
		tries, spans int
	}{
		"busy twice":  {[]int{http.StatusTooManyRequests, http.StatusServiceUnavailable}, 3, 1},
		"a plain no":  {[]int{http.StatusBadRequest}, 1, 0},
		"no right to": {[]int{http.StatusUnauthorized}, 1, 0},
	} {
		t.Run(name, func(t *testing.T) {
			c := newCollector(t, tt.refusals...)
			tracer, _ := c.tracer(t, 1)
			serve(t, tracer, true, "/claims/1", "", func(context.Context) {})
			_ = tracer.Close(context.WithoutCancel(t.Context()))
			c.mu.Lock()
			defer c.mu.Unlock()
			if c.tries != tt.tries || len(c.spans) != tt.spans {
				t.Errorf("%d tries and %d spans, want %d and %d", c.tries, len(c.spans), tt.tries, tt.spans)
			}
		})
	}
}

func TestTheLogSaysWhySpansAreLost(t *testing.T) {
	busy := slices.Repeat([]int{http.StatusServiceUnavailable}, 5)
	for name, tt := range map[string]struct {
		refusals []int
		want     string
	}{
		"busy every time": {busy, "status 503, retry after 0s"},
		"a plain no":      {[]int{http.StatusBadRequest}, "status 400"},
	} {
		t.Run(name, func(t *testing.T) {
			c, out := newCollector(t, tt.refusals...), new(bytes.Buffer)
			tracer, err := tracing.New(t.Context(), tracing.Options{Endpoint: c.URL, Ratio: 1, Log: slog.New(slog.NewJSONHandler(out, nil))})
			if err != nil {
				t.Fatal(err)
			}
			serve(t, tracer, true, "/claims/1", "", func(context.Context) {})
			if err := tracer.Close(context.WithoutCancel(t.Context())); err != nil {
				t.Error(err)
			}
			var line map[string]any
			if err := json.Unmarshal(out.Bytes(), &line); err != nil {
				t.Fatalf("%v: %s", err, out)
			}
			if said, _ := line["error"].(string); line["msg"] != "spans are lost" || line["spans"] != 1. || !strings.HasSuffix(said, tt.want) {
				t.Errorf("got %s", out)
			}
		})
	}
}

// The headers of an upload may hold a key.
func TestUploadsFollowNoRedirects(t *testing.T) {
	elsewhere := newCollector(t)
	hit := make(chan http.Header, 1)
	near := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		hit <- r.Header.Clone()
		http.Redirect(w, r, elsewhere.URL+"/base/v1/traces", http.StatusTemporaryRedirect)
	}))
	t.Cleanup(near.Close)
	tracer, err := tracing.New(t.Context(), tracing.Options{
		Endpoint: near.URL, Ratio: 1, Headers: map[string]string{"api-key": "k"}, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	serve(t, tracer, true, "/claims/1", "", func(context.Context) {})
	if err := tracer.Close(context.WithoutCancel(t.Context())); err != nil {
		t.Error(err)
	}
	if header := <-hit; header.Get("Api-Key") != "k" {
		t.Errorf("uploaded with %v", header)
	}
	elsewhere.mu.Lock()
	defer elsewhere.mu.Unlock()
	if elsewhere.tries != 0 {
		t.Error("it was sent elsewhere")
	}
}

func TestOptionsComeFromOpenTelemetrysVariables(t *testing.T) {
	for name, tt := range map[string]struct {
		given     tracing.Options
		variables map[string]string
		on        bool
		url       string
	}{
		"off":                    {tracing.Options{}, nil, false, ""},
		"by configuration":       {tracing.Options{Endpoint: "http://a:4318"}, map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": "http://b"}, true, "http://a:4318/v1/traces"},
		"by variable":            {tracing.Options{}, map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": "https://b/base/"}, true, "https://b/base/v1/traces"},
		"by variable for traces": {tracing.Options{}, map[string]string{"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "https://b/spans"}, true, "https://b/spans"},
		"disabled":               {tracing.Options{Endpoint: "http://a"}, map[string]string{"OTEL_SDK_DISABLED": "TRUE"}, false, ""},
		"no URL":                 {tracing.Options{Endpoint: "a:4318"}, nil, true, ""},
		"over HTTP, as JSON": {tracing.Options{}, map[string]string{
			"OTEL_EXPORTER_OTLP_ENDPOINT": "http://b", "OTEL_EXPORTER_OTLP_PROTOCOL": "http/json",
		}, true, "http://b/v1/traces"},
		"by gRPC": {tracing.Options{}, map[string]string{
			"OTEL_EXPORTER_OTLP_ENDPOINT": "http://b:4317", "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc",
		}, true, ""},
		"others by gRPC, traces not": {tracing.Options{}, map[string]string{
			"OTEL_EXPORTER_OTLP_ENDPOINT": "http://b", "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc", "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL": "http/protobuf",
		}, true, "http://b/v1/traces"},
		"others by gRPC, by configuration not": {tracing.Options{Endpoint: "http://a"}, map[string]string{
			"OTEL_EXPORTER_OTLP_PROTOCOL": "grpc",
		}, true, "http://a/v1/traces"},
	} {
		t.Run(name, func(t *testing.T) {
			got := tt.given.FromEnvironment(func(name string) string { return tt.variables[name] })
			if got.On() != tt.on {
				t.Errorf("on: %t", got.On())
			}
			if !tt.on {
				return
			}
			url, err := tracing.URL(got)
			if url != tt.url || (tt.url == "") != errors.Is(err, tracing.ErrEndpoint) {
				t.Errorf("got %q, %v, want %q", url, err, tt.url)
			}
		})
	}
	lists := map[string]string{"OTEL_EXPORTER_OTLP_HEADERS": "a=1, b=x%20y", "OTEL_EXPORTER_OTLP_TRACES_HEADERS": "a=2"}
	got := tracing.Options{}.FromEnvironment(func(name string) string { return lists[name] }).Headers
	if len(got) != 2 || got["a"] != "2" || got["b"] != "x y" {
		t.Errorf("headers: %v", got)
	}
}

func TestLinesOfTheLogNameTheTrace(t *testing.T) {
	c, out := newCollector(t), new(bytes.Buffer)
	tracer, end := c.tracer(t, 1)
	log := slog.New(tracing.LogHandler{Handler: slog.NewJSONHandler(out, nil)}).With("a", 1)
	log.InfoContext(t.Context(), "outside")
	if strings.Contains(out.String(), "trace_id") {
		t.Errorf("got %s", out)
	}
	out.Reset()
	serve(t, tracer, true, "/claims/1", "", func(ctx context.Context) { log.InfoContext(ctx, "inside") })
	var line map[string]any
	if err := json.Unmarshal(out.Bytes(), &line); err != nil {
		t.Fatal(err)
	}
	span := end()["GET /claims/:id"]
	if line["trace_id"] != fmt.Sprintf("%x", span.TraceId) || line["span_id"] != fmt.Sprintf("%x", span.SpanId) {
		t.Errorf("got %v, want %x", line, span.TraceId)
	}
}

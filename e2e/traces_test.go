package e2e_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/holdline/holdline/e2e/harness"
)

// A change is two traces: the form, which Kratos begins, and the code.
func TestTracesGoFromKratosThroughHoldlineAndBack(t *testing.T) {
	t.Parallel()
	collector := harness.NewCollector(t)
	s := harness.NewStack(t, harness.Options{
		Holdline: harness.Overlay{
			"tracing": harness.Overlay{"otlp_endpoint": collector.URL},
			"log":     harness.Overlay{"level": "debug", "access": true},
			"otp":     harness.Overlay{"length": 10, "alphabet": "alphanumeric"},
		},
		Kratos: harness.Overlay{"tracing": harness.Overlay{"provider": "otel", "service_name": "kratos", "providers": harness.Overlay{
			"otlp": harness.Overlay{"server_url": strings.TrimPrefix(collector.URL, "http://"), "insecure": true, "sampling": harness.Overlay{"sampling_ratio": 1.0}},
		}}},
	})
	bob := s.NewPerson(t, m0)
	text := bob.Ask(t, m1)
	wantFault(t, bob.Confirm(t, "WRQNGCQDE2"), http.StatusBadRequest, "18001")
	theirs := harness.Header{"traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}
	wantEmpty(t, harness.Send(t, http.MethodPost, s.Holdline.PublicURL+harness.UserAPI+"/me/validate-code",
		`{"code":"`+text.Code+`","properties":[]}`, harness.JSONBody, bob.ByToken(), theirs), http.StatusAccepted)
	harness.Send(t, http.MethodGet, s.Holdline.PublicURL+"/"+m1+"?code="+text.Code, "", harness.Header{"User-Agent", bob.Email})

	confirm := "POST " + harness.UserAPI + "/me/validate-code"
	for name, want := range map[string]struct {
		root  string
		spans []string
	}{
		"the form": {"POST " + stagePath, []string{
			"holdline: POST " + stagePath, "holdline: POST /hooks/settings/activate", "holdline: store commit", "holdline: gateway send", "kratos: ",
		}},
		"the code": {confirm, []string{
			"holdline: " + confirm, "holdline: kratos read session", "holdline: store current", "holdline: store commit",
			"holdline: kratos write number", "kratos: ",
		}},
	} {
		harness.Eventually(t, name+" is one trace", func() error {
			var seen [][]string
			for _, span := range collector.Spans() {
				if span.Service != "holdline" || span.Name != want.root {
					continue
				}
				names := inTrace(collector.Spans(), span.TraceId)
				if seen = append(seen, names); hasAll(names, want.spans) {
					return nil
				}
			}
			return fmt.Errorf("got %q, want one with %q", seen, want.spans)
		})
	}
	s.Holdline.Stop(t) // what is left is sent

	secrets := map[string]string{
		"code": text.Code, "wrong code": "WRQNGCQDE2", "old number": m0[3:], "new number": m1[3:], "e-mail": bob.Email,
		"session": bob.Token, "hook key": harness.HookKey, "client's address": "127.0.0.1",
	}
	linked := 0 // spans of requests whose caller named a trace
	for _, span := range collector.Spans() {
		if span.Service != "holdline" {
			continue
		}
		for what, secret := range secrets {
			if strings.Contains(span.String(), secret) {
				t.Errorf("a span has the %s: %s", what, span)
			}
		}
		if fmt.Sprintf("%x", span.TraceId) == "0af7651916cd43dd8448eb211c80319c" {
			t.Errorf("a stranger names the trace of %s", span.Name)
		}
		for _, link := range span.Links {
			linked++
			if span.Name != confirm || fmt.Sprintf("%x", link.TraceId) != "0af7651916cd43dd8448eb211c80319c" {
				t.Errorf("%s is linked to %s", span.Name, link)
			}
		}
	}
	if linked != 1 {
		t.Errorf("%d links to the stranger's trace, want 1", linked)
	}
	for _, sent := range append(s.Provider.Texts(""), s.Provider.Notices("")...) {
		if sent.Header.Get("Traceparent") != "" {
			t.Error("the provider is told of the trace")
		}
	}
	if log := s.Holdline.Output.String(); !strings.Contains(log, `"trace_id":"`) {
		t.Error("the log names no trace")
	}
}

// inTrace returns the spans of a trace, each with its service.
func inTrace(spans []harness.Span, trace []byte) []string {
	var names []string
	for _, span := range spans {
		if string(span.TraceId) == string(trace) {
			names = append(names, span.Service+": "+span.Name)
		}
	}
	return names
}

// hasAll reports whether each of the beginnings is one of some name.
func hasAll(names, beginnings []string) bool {
	for _, beginning := range beginnings {
		if !slices.ContainsFunc(names, func(name string) bool { return strings.HasPrefix(name, beginning) }) {
			return false
		}
	}
	return true
}

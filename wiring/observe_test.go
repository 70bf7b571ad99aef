package wiring_test

import (
	"log/slog"
	"testing"

	"github.com/holdline/holdline/config"
	"github.com/holdline/holdline/wiring"
)

// What costs nothing while tracing is off is what is not there.
func TestTracingIsOutOfTheWayWhileItIsOff(t *testing.T) {
	for name, tt := range map[string]struct {
		endpoint, variable string
		on                 bool
	}{
		"off":              {"", "", false},
		"by configuration": {"http://127.0.0.1:1", "", true},
		"by variable":      {"", "http://127.0.0.1:1", true},
		// What is set for other programs must not stop this one.
		"by a variable that names no collector": {"", "127.0.0.1:4317", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", tt.variable)
			cfg := config.Default()
			cfg.Tracing.Endpoint = tt.endpoint
			watched, err := wiring.Observe(t.Context(), cfg, "test", slog.New(slog.DiscardHandler))
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = watched.Close(t.Context()) }() // nothing was kept
			if hears := watched.DatabaseCall() != nil; hears != tt.on {
				t.Errorf("what the database is asked is observed: %t", hears)
			}
			if around := len(wiring.ObservedRequests(watched, "public")); (around == 2) != tt.on {
				t.Errorf("%d handlers go around each request", around)
			}
			if propagates := wiring.Propagation(watched) != nil; propagates != tt.on {
				t.Errorf("Kratos is told of traces: %t", propagates)
			}
		})
	}
}

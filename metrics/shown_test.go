package metrics_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/holdline/holdline/internal/admin"
	"github.com/holdline/holdline/internal/auth"
	"github.com/holdline/holdline/internal/claim"
)

func TestCallsToKratosAreCountedByTheirEnd(t *testing.T) {
	m := newMeter(t)
	for _, err := range []error{nil, nil, fmt.Errorf("read: %w", auth.ErrNoSession), fmt.Errorf("read: %w", claim.ErrIdentitiesUnavailable)} {
		_, ended := m.KratosCall(t.Context(), "read session")
		ended(err)
	}
	m.want(2, "holdline_kratos_requests_total", "operation", "read_session", "outcome", "done")
	m.want(1, "holdline_kratos_requests_total", "operation", "read_session", "outcome", "refused")
	m.want(1, "holdline_kratos_requests_total", "operation", "read_session", "outcome", "away")
	m.want(4, "holdline_kratos_request_duration_seconds", "operation", "read_session")
}

func TestWhatWaitsIsCountedSeldom(t *testing.T) {
	m, now, asked := newMeter(t), noon, 0
	waiting, away := admin.Waiting{Open: 4, Verified: 1, Queued: 2, OldestText: noon.Add(-time.Minute)}, error(nil)
	m.Waiting(func(context.Context) (admin.Waiting, error) { asked++; return waiting, away }, func() time.Time { return now })
	m.want(4, "holdline_claims_pending", "state", "open")
	m.want(1, "holdline_claims_pending", "state", "verified")
	m.want(2, "holdline_texts_queued")
	m.want(60, "holdline_text_oldest_queued_seconds")
	if asked != 1 {
		t.Errorf("four scrapes counted %d times", asked)
	}
	now, waiting = now.Add(20*time.Second), admin.Waiting{}
	m.want(0, "holdline_claims_pending", "state", "open")
	m.want(0, "holdline_text_oldest_queued_seconds")
	now, away = now.Add(20*time.Second), errors.New("away")
	if families := m.families(); families["holdline_claims_pending"] != nil || families["holdline_build_info"] == nil {
		t.Error("while the database is away, what waits is not known and all else is")
	}
}

func TestTrafficIsShownByCallingCode(t *testing.T) {
	m := newMeter(t)
	m.Traffic(watched{})
	m.want(1, "holdline_traffic_alarm", "calling_code", "882", "alarm", "share")
	m.want(1, "holdline_traffic_alarm", "calling_code", "49", "alarm", "budget")
	m.want(60, "holdline_traffic_window_codes_sent", "calling_code", "882")
	m.want(2, "holdline_traffic_window_codes_confirmed", "calling_code", "882")
	m.want(1, "holdline_traffic_window_codes_sent", "calling_code", "none")
}

func TestTheReleaseIsNamed(t *testing.T) {
	newMeter(t).want(1, "holdline_build_info", "release", "v1", "goversion", runtime.Version())
}

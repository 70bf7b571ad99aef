package kratostest_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/holdline/holdline/internal/kratostest"
)

// A form goes through both hooks, and what stage answers is what is stored.
func TestAFormGoesThroughBothHooks(t *testing.T) {
	const anna, was, now = "8e2c9a3e-0000-4000-8000-000000000001", "+4915112345670", "+4915112345671"
	double := kratostest.NewDouble(func() time.Time { return time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC) })
	double.Store(kratostest.Identity{
		ID: anna, SchemaID: "default", State: "active", Traits: map[string]any{"username": "anna", "mobile": was}, MetadataPublic: map[string]any{},
		Addresses: []kratostest.Address{{Value: was, Via: "sms", Status: "completed", Verified: true}},
	})
	var calls []string
	err := double.SaveForm(func(path string, body []byte) (int, []byte, error) {
		calls = append(calls, path+" "+string(body))
		if path == "/hooks/settings/stage" {
			return http.StatusOK, []byte(`{"identity":{"traits":{"username":"anna","mobile":"` + was + `"},"metadata_public":{"pendingMobileNumber":"` + now + `"},
				"verifiable_addresses":[{"value":"` + was + `","via":"sms","status":"completed","verified":true}]}}`), nil
		}
		return http.StatusNoContent, nil, nil
	}, anna, "flow", now)
	if err != nil {
		t.Fatal(err)
	}
	stored, _ := double.Named("Anna")
	if mobile, verified := stored.Mobile(); mobile != was || !verified || stored.Pending() != now {
		t.Errorf("stored: %+v", stored)
	}
	want := []string{
		`/hooks/settings/stage {"authenticated_at":null,"flow_id":"flow","flow_issued_at":"2026-03-01T12:00:00Z","identity_id":"` + anna + `","language":"en",` +
			`"metadata_public":{},"new_mobile":"` + now + `","old_mobile":"` + was + `","pending_mobile":null,"schema_id":"default",` +
			`"traits":{"mobile":"` + now + `","username":"anna"},"verifiable_addresses":[{"value":"` + was + `","via":"sms","status":"completed","verified":true}]}`,
		`/hooks/settings/activate {"flow_id":"flow","flow_issued_at":"2026-03-01T12:00:00Z","identity_id":"` + anna + `","language":"en",` +
			`"new_mobile":"` + was + `","pending_mobile":"` + now + `"}`,
	}
	if diff := cmp.Diff(want, calls); diff != "" {
		t.Error(diff)
	}
	refused := double.SaveForm(func(string, []byte) (int, []byte, error) { return http.StatusBadRequest, nil, nil }, anna, "flow", now)
	if refused == nil {
		t.Error("a hook that refuses is no error")
	}
}

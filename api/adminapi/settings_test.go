package adminapi_test

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/holdline/holdline/internal/audit"
	"github.com/holdline/holdline/internal/claim"
	"github.com/holdline/holdline/internal/problem"
	"github.com/holdline/holdline/internal/settings"
)

const prefix = "identity_mgt.user_claim_update."

func TestSettingsAreReadAsTheyAreWritten(t *testing.T) {
	w := newWorld(t)
	want := `{"identity_mgt.user_claim_update.mobile.enable_verification":true,` +
		`"identity_mgt.user_claim_update.mobile.enable_verification_by_privileged_user":false,` +
		`"identity_mgt.user_claim_update.mobile.verification_sms_otp_validity":"5m0s",` +
		`"identity_mgt.user_claim_update.use_verify_claim":true,"mobile.allowed_calling_codes":[],"mobile.denied_calling_codes":[]}`
	got := w.ask(http.MethodGet, "/admin/settings", "").want(http.StatusOK)
	if got.body != want {
		t.Errorf("got %s\nwant %s", got.body, want)
	}
	w.ask(http.MethodPatch, "/admin/settings", got.body).want(http.StatusOK, want)
}

func TestSettingsAreChanged(t *testing.T) {
	for name, tt := range map[string]struct {
		body string
		want func(claim.Policy) bool
	}{
		"by their names":       {`{"` + prefix + `mobile.enable_verification": false}`, func(p claim.Policy) bool { return !p.Enabled }},
		"by a name's end":      {`{"enable_verification": "False"}`, func(p claim.Policy) bool { return !p.Enabled }},
		"by a flag's name":     {`{"enable-verification-by-privileged-user": true}`, func(p claim.Policy) bool { return p.VerifyPrivileged }},
		"nested as in a file":  {`{"identity_mgt": {"user_claim_update": {"use_verify_claim": false, "mobile": {"verification_sms_otp_validity": "90s"}}}}`, func(p claim.Policy) bool { return p.VerifyAlways && p.Validity == 90*time.Second }},
		"a number of minutes":  {`{"verification_sms_otp_validity": 10}`, func(p claim.Policy) bool { return p.Validity == 10*time.Minute }},
		"a number in a string": {`{"verification_sms_otp_validity": "7"}`, func(p claim.Policy) bool { return p.Validity == 7*time.Minute }},
		"a list": {`{"allowed_calling_codes": ["+49", "43"], "mobile": {"denied_calling_codes": "1876"}}`, func(p claim.Policy) bool {
			return slices.Equal(p.Coverage.Allowed, []string{"43", "49"}) && slices.Equal(p.Coverage.Denied, []string{"1876"})
		}},
		"an empty list":   {`{"allowed_calling_codes": []}`, func(p claim.Policy) bool { return len(p.Coverage.Allowed) == 0 }},
		"several at once": {`{"enable_verification": false, "use_verify_claim": false}`, func(p claim.Policy) bool { return !p.Enabled && p.VerifyAlways }},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.ask(http.MethodPatch, "/admin/settings", tt.body).want(http.StatusOK)
			if p := w.switches.Policy(); !tt.want(p) {
				t.Errorf("the policy is %+v", p)
			}
			for _, e := range w.settings.Events() {
				if e.Kind != settings.Changed || e.Actor.Kind != audit.Administrator || e.Actor.ID != "desk" || !strings.Contains(e.Reason, " -> ") {
					t.Errorf("the audit trail says %+v", e)
				}
			}
		})
	}
}

func TestBadSettingsChangeNothing(t *testing.T) {
	for name, tt := range map[string]struct {
		body string
		want int
		said string
	}{
		"no such setting":      {`{"enable_verification": false, "enabled": true}`, http.StatusBadRequest, "there is no such setting"},
		"no truth value":       {`{"use_verify_claim": false, "enable_verification": "maybe"}`, http.StatusBadRequest, "must be true or false"},
		"too long":             {`{"verification_sms_otp_validity": "25h"}`, http.StatusBadRequest, "from 1s to 24h"},
		"no time at all":       {`{"verification_sms_otp_validity": 0}`, http.StatusBadRequest, "from 1s to 24h"},
		"a duration of what":   {`{"verification_sms_otp_validity": "soon"}`, http.StatusBadRequest, "must be a duration"},
		"a code of no country": {`{"allowed_calling_codes": ["49", "999"]}`, http.StatusBadRequest, `no number begins with \"999\"`},
		"codes as numbers":     {`{"allowed_calling_codes": [49]}`, http.StatusBadRequest, "as text, in quotes"},
		"a blank code":         {`{"allowed_calling_codes": [""]}`, http.StatusBadRequest, "one calling code in each entry"},
		"a comma for a code":   {`{"allowed_calling_codes": [","]}`, http.StatusBadRequest, "one calling code in each entry"},
		"a code in two":        {`{"allowed_calling_codes": ["4 9"]}`, http.StatusBadRequest, "one calling code in each entry"},
		"commas and no codes":  {`{"allowed_calling_codes": ", ;"}`, http.StatusBadRequest, "must be calling codes"},
		"a list":               {`{"enable_verification": [false]}`, http.StatusBadRequest, "must be a truth value"},
		"one setting, twice":   {`{"enable_verification": false, "enable-verification": true}`, http.StatusBadRequest, "is named twice"},
		"nothing":              {`{}`, http.StatusBadRequest, "no setting is named"},
		"no object":            {`[]`, http.StatusBadRequest, "HLD-40001"},
		"not even JSON":        {`{"enable_verification": `, http.StatusBadRequest, "HLD-40001"},
		"all faults are named": {`{"enable_verification": "x", "verification_sms_otp_validity": "y"}`, http.StatusBadRequest, `otp_validity: must`},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			before := w.switches.Policy()
			w.ask(http.MethodPatch, "/admin/settings", tt.body).want(tt.want, tt.said)
			if after := w.switches.Policy(); after.Enabled != before.Enabled || after.Validity != before.Validity || len(w.settings.Events()) > 0 {
				t.Errorf("changed to %+v", after)
			}
		})
	}
}

func TestASettingReturnsToItsStart(t *testing.T) {
	w := newWorld(t)
	w.ask(http.MethodPatch, "/admin/settings", `{"enable_verification": false}`).want(http.StatusOK)
	w.ask(http.MethodGet, "/admin/settings/enable_verification", "").want(http.StatusOK,
		`"value":false`, `"start_value":true`, `"set_by":"desk"`, `"set_at":"2026-11-01T12:00:00Z"`)
	w.ask(http.MethodDelete, "/admin/settings/"+prefix+"mobile.enable_verification", "").want(http.StatusNoContent)
	if !w.switches.Policy().Enabled {
		t.Error("it is off still")
	}
	got := w.ask(http.MethodGet, "/admin/settings/enable-verification", "").want(http.StatusOK, `"value":true`)
	if strings.Contains(got.body, "set_by") {
		t.Errorf("somebody has set it: %s", got.body)
	}
	w.ask(http.MethodDelete, "/admin/settings/enable_verification", "").want(http.StatusNoContent)
	if events := w.settings.Events(); len(events) != 2 || events[1].Kind != settings.Returned {
		t.Errorf("the audit trail is %+v", events)
	}
	w.ask(http.MethodPatch, "/admin/settings", `{"enable_verification": false}`).want(http.StatusOK)
	w.ask(http.MethodPatch, "/admin/settings", `{"enable_verification": null}`).want(http.StatusOK, `enable_verification":true`)
	w.ask(http.MethodGet, "/admin/settings/nothing", "").want(http.StatusNotFound)
	w.ask(http.MethodDelete, "/admin/settings/nothing", "").want(http.StatusNotFound)
}

func TestAStoreThatIsAwayChangesNoSetting(t *testing.T) {
	w := newWorld(t)
	w.settings.Fail(problem.ErrStoreUnavailable)
	w.ask(http.MethodPatch, "/admin/settings", `{"enable_verification": false}`).want(http.StatusServiceUnavailable)
	w.ask(http.MethodGet, "/admin/settings", "").want(http.StatusOK)
	if !w.switches.Policy().Enabled {
		t.Error("it is off")
	}
}

// Whoever sets what is suggested lifts no restriction, also where nothing is suggested.
func TestSuggestedListsCanBeSetAsTheyAre(t *testing.T) {
	w := newWorld(t)
	w.ask(http.MethodPatch, "/admin/settings", `{"allowed_calling_codes": ["49"], "denied_calling_codes": ["491"]}`).want(http.StatusOK)
	got := w.ask(http.MethodGet, "/admin/suggestions", "").want(http.StatusOK, `"missing":"few_days"`)
	var lists struct {
		Allowed []string `json:"allowed_calling_codes"`
		Denied  []string `json:"denied_calling_codes"`
	}
	if err := json.Unmarshal([]byte(got.body), &lists); err != nil {
		t.Fatal(err)
	}
	body, err := json.Marshal(map[string]any{"allowed_calling_codes": lists.Allowed, "denied_calling_codes": lists.Denied})
	if err != nil {
		t.Fatal(err)
	}
	w.ask(http.MethodPatch, "/admin/settings", string(body)).want(http.StatusOK)
	if c := w.switches.Policy().Coverage; !slices.Equal(c.Allowed, []string{"49"}) || !slices.Equal(c.Denied, []string{"491"}) {
		t.Errorf("got %+v", c)
	}
}

package hook_test

import (
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/holdline/holdline/hook"
	"github.com/holdline/holdline/internal/claim"
	"github.com/holdline/holdline/internal/claim/claimtest"
	"github.com/holdline/holdline/internal/message"
	"github.com/holdline/holdline/internal/otp"
	"github.com/holdline/holdline/internal/phone"
	"github.com/holdline/holdline/internal/storetest"
)

// submitted is what Kratos v26.2 hands to the jsonnet of both hooks: with the session
// and its devices, in the order in which they signed in.
func submitted(identity, header, pending string, devices ...string) string {
	signedIn := make([]string, len(devices))
	for i, address := range devices {
		signedIn[i] = fmt.Sprintf(`{"id":"d%d","ip_address":%s,"user_agent":"x"}`, i, address)
	}
	const traits = `"schema_id":"default","verifiable_addresses":[],"traits":{"email":"e","mobile":`
	before := fmt.Sprintf(`{"id":%q,%s"+491710000000"},"metadata_public":{}}`, identity, traits)
	after := fmt.Sprintf(`{"id":%q,%s"+491711111111"},"metadata_public":{}}`, identity, traits)
	if pending != "" {
		after = fmt.Sprintf(`{"id":%q,%s"+491710000000"},"metadata_public":{"pendingMobileNumber":%q}}`, identity, traits, pending)
	}
	return fmt.Sprintf(`{"flow":{"id":"flow-%s","identity":%s},"identity":%s,"request_headers":%s,"session":{"id":"s","devices":[%s]}}`,
		identity, before, after, header, strings.Join(signedIn, ","))
}

func TestAFormsAddressIsTheHeadersOrTheDevices(t *testing.T) {
	for name, tt := range map[string]struct {
		header  string
		devices []string
		want    string
	}{
		"a device":                     {`{}`, []string{`"203.0.113.7"`}, "203.0.113.7"},
		"a device and its port":        {`{}`, []string{`"203.0.113.7:55136"`}, "203.0.113.7"},
		"an IPv6 device and its port":  {`{}`, []string{`"[2001:db8::7]:55136"`}, "2001:db8::7"},
		"the last of several":          {`{}`, []string{`"198.51.100.1"`, `"203.0.113.7"`}, "203.0.113.7"},
		"the header comes first":       {`{"True-Client-Ip":["192.0.2.9"]}`, []string{`"203.0.113.7"`}, "192.0.2.9"},
		"a blank header":               {`{"True-Client-Ip":[""]}`, []string{`"203.0.113.7"`}, "203.0.113.7"},
		"a header with nonsense":       {`{"True-Client-Ip":["unknown"]}`, []string{`"203.0.113.7"`}, ""},
		"a device without an address":  {`{}`, []string{`null`}, ""},
		"a session without devices":    {`{}`, nil, ""},
		"a device that tells nonsense": {`{}`, []string{`"somewhere"`}, ""},
	} {
		for i, path := range []string{hook.StagePath, hook.ActivatePath} {
			t.Run(name+path, func(t *testing.T) {
				body, err := evaluate(t, setup, i, submitted("i", tt.header, "+491711111111"[:13*i], tt.devices...))
				if err != nil {
					t.Fatal(err)
				}
				r := &rulings{}
				post(t, serve(t, r), path, key, body)
				var got []string
				for _, c := range r.staged {
					got = append(got, c.ClientIP)
				}
				for _, f := range r.stored {
					got = append(got, f.ClientIP)
				}
				if len(got) != 1 || got[0] != tt.want {
					t.Errorf("got %q, want %q", got, tt.want)
				}
			})
		}
	}
}

// Thirty accounts at one address, each with a form.
func TestFormsCountForTheirAddress(t *testing.T) {
	const most = 20
	sent, ids := 0, 0
	now := time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	codes, err := otp.New([]string{strings.Repeat("k", otp.ShortestSecret)}, 6, otp.Numeric)
	if err != nil {
		t.Fatal(err)
	}
	service := claim.New(claim.Options{
		Store: storetest.NewStore(), Identities: claimtest.NewIdentities(), Codes: codes, Plan: phone.Parser{Format: phone.FormatE164},
		Policy: func() claim.Policy {
			return claim.Policy{Enabled: true, Lifetime: time.Hour, Validity: time.Minute, Texts: claim.TextLimits{PerAddressHour: most}}
		},
		Now: func() time.Time { return now }, NewID: func() string { ids++; return fmt.Sprint(ids) },
		Send: func(message.Text) { sent++ }, Log: slog.New(slog.DiscardHandler),
	})
	kratos := serve(t, service)
	statuses := map[int]int{}
	for i := range 30 {
		person, device := fmt.Sprintf("person-%d", i), fmt.Sprintf(`"203.0.113.7:%d"`, 50_000+i)
		submit := func(hookAt int, path, pending string) int {
			body, err := evaluate(t, setup, hookAt, submitted(person, `{}`, pending, device))
			if err != nil {
				t.Fatal(err)
			}
			return post(t, kratos, path, key, body).Code
		}
		status := submit(0, hook.StagePath, "")
		statuses[status]++
		if status == http.StatusOK {
			submit(1, hook.ActivatePath, "+491711111111")
		}
	}
	if sent != most || statuses[http.StatusOK] != most || statuses[http.StatusBadRequest] != 30-most {
		t.Errorf("texts: got %d, want %d; answers to forms: %v", sent, most, statuses)
	}
}

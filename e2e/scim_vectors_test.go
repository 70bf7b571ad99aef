package e2e_test

import (
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/holdline/holdline/e2e/harness"
)

// memberSchema makes Kratos' only identity schema the one whose name has parts.
var memberSchema = onlySchema("member")

// onlySchema makes a schema the only one.
func onlySchema(id string) harness.Overlay {
	return harness.Overlay{"identity": harness.Overlay{
		"default_schema_id": id,
		"schemas":           []harness.Overlay{{"id": id, "url": "file://./" + id + ".schema.json"}},
	}}
}

// noTextLimits is for tests that send many texts from one address.
var noTextLimits = harness.Overlay{
	"resend_cooldown": "0", "texts_per_claim": 0, "texts_per_identity_per_day": 0,
	"texts_per_number_per_hour": 0, "texts_per_number_per_day": 0, "texts_per_address_per_hour": 0,
}

// What the clients of large identity providers send, and RFC 7644's own cases.
func TestSCIMClientsGetWhatTheyExpect(t *testing.T) {
	t.Parallel()
	s := harness.NewStack(t, harness.Options{
		Kratos: memberSchema,
		Holdline: harness.Overlay{
			"limits": noTextLimits,
			"identity_mgt": harness.Overlay{"user_claim_update": harness.Overlay{
				"mobile": harness.Overlay{"enable_verification_by_privileged_user": true},
			}},
		},
	})
	token := harness.ByClient(s.Token(t, "--privileged"))
	random := "r" + strings.ToLower(rand.Text())[:8]
	client := &harness.Client{
		Base: s.Holdline.PublicURL + harness.SCIM,
		Vars: map[string]any{"rand": random, "RAND": strings.ToUpper(random), "uuid": newUUID()},
	}
	client.Authorize = func(v harness.Vector) harness.Header {
		if v.Profile != "me" {
			return token
		}
		return passwordOf(t, s, token, client.Fill(*v.Headers["X-Sub"]))
	}
	vectors := harness.ReadVectors(t, "testdata/scim-client-vectors.json")
	for _, v := range vectors {
		t.Run(v.ID, func(t *testing.T) { client.Run(t, v) })
	}
	t.Logf("%d vectors", len(vectors))
}

// newUUID returns a random one, of version 4.
func newUUID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails, see crypto/rand
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// passwordOf gives a user a password, and returns how the user signs in with it.
func passwordOf(t *testing.T, s *harness.Stack, token harness.Header, id string) harness.Header {
	t.Helper()
	const password = "a-password-of-the-vectors-9"
	answer := s.SCIM(t, http.MethodPatch, "/Users/"+id, patchOf(`{"op":"replace","path":"password","value":"`+password+`"}`), token)
	if answer.Status != http.StatusOK {
		t.Fatalf("set a password: %d %s", answer.Status, answer.Body)
	}
	name := answer.SCIMUser(t).UserName
	return harness.Header{"Authorization", "Basic " + base64.StdEncoding.EncodeToString([]byte(name+":"+password))}
}

// patchOf is the body of a PATCH.
func patchOf(operations ...string) string {
	return `{"schemas":["` + harness.PatchOpSchema + `"],"Operations":[` + strings.Join(operations, ",") + `]}`
}

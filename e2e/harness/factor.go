package harness

import (
	"net/http"
	"testing"
)

// AddLookupSecrets gives the person recovery codes as a second factor, through the
// settings flow.
func (p *Person) AddLookupSecrets(t testing.TB) {
	t.Helper()
	f := begin(t, newClient(nil), p.stack.Kratos.PublicURL+"/self-service/settings/api", p.ByToken())
	for _, step := range []string{"lookup_secret_regenerate", "lookup_secret_confirm"} {
		answer := Send(t, http.MethodPost, f.UI.Action, marshal(t, tree{"method": "lookup_secret", step: true}), JSONBody, p.ByToken())
		if answer.Status != http.StatusOK {
			t.Fatalf("%s: %d %s", step, answer.Status, answer.Body)
		}
	}
}

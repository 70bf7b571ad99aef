package harness

import (
	"encoding/json"
	"fmt"
	"net/http"
	"testing"
)

const (
	vonageKey    = "e2ekey01"
	vonageSecret = "e2eSecret0123456"
)

// NewVonage starts a provider that speaks Vonage's SMS API, the way of JSON:
// whatever it has to say, the status is 200.
func NewVonage(t testing.TB) *Provider {
	t.Helper()
	return newProvider(t, &Provider{dialect: dialect{
		read: readVonage,
		accepted: func(n int) string {
			return fmt.Sprintf(`{"message-count":"1","messages":[{"to":"1","message-id":"0A00000012345%03d","status":"0",`+
				`"remaining-balance":"3.14159265","message-price":"0.03330000","network":"26201"}]}`, n)
		},
		gateway: func(p *Provider) tree {
			return tree{
				"type": "vonage", "endpoint": p.URL + "/sms/json", "from": "Holdline",
				"api_key": vonageKey, "api_secret": vonageSecret,
			}
		},
	}})
}

// VonageError is an answer that refuses the text.
func VonageError(status, text string) []byte {
	return fmt.Appendf(nil, `{"message-count":"1","messages":[{"status":%q,"error-text":%q}]}`, status, text)
}

func readVonage(r *http.Request, body []byte) (Text, error) {
	in := struct {
		Key    string `json:"api_key"`
		Secret string `json:"api_secret"`
		From   string `json:"from"`
		To     string `json:"to"`
		Text   string `json:"text"`
	}{}
	if err := json.Unmarshal(body, &in); err != nil {
		return Text{}, err
	}
	if r.URL.Path != "/sms/json" || in.Key != vonageKey || in.Secret != vonageSecret || in.From == "" || in.Text == "" {
		return Text{}, fmt.Errorf("%s from %q with key %q", r.URL.Path, in.From, in.Key)
	}
	return Text{To: "+" + in.To, Body: in.Text, Code: shownCode(in.Text)}, nil
}

package provider_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/holdline/holdline/smsgateway"
	"github.com/holdline/holdline/smsgateway/smstest"
)

func lookAt(ctx context.Context, g smsgateway.Gateway) error {
	return g.(interface{ CheckAccount(context.Context) error }).CheckAccount(ctx)
}

func TestLookingAtAnAccountSendsNothing(t *testing.T) {
	for name, p := range providerTests {
		for _, status := range []int{http.StatusOK, http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound} {
			t.Run(name+" "+http.StatusText(status), func(t *testing.T) {
				want := p.account
				asked := make(chan string, 10)
				double := smstest.NewServer(t, func(w http.ResponseWriter, r *http.Request) {
					said := transcript(r)
					if name == "sns" && !strings.Contains(said, "Action=GetSMSAttributes") {
						t.Errorf("asked %s", said)
					}
					asked <- r.Method + " " + r.URL.Path
					w.WriteHeader(status)
					_, _ = w.Write([]byte(want.refusal))
				})
				err := lookAt(t.Context(), preset(t, name, double.URL, smstest.Patient))
				close(asked)
				var all []string
				for one := range asked {
					all = append(all, one)
				}
				if got := strings.Join(all, ", "); got != want.asks {
					t.Errorf("asked %q, want %q", got, want.asks)
				}
				refused := want.asks != "" && (status == http.StatusUnauthorized || want.refusal != "" && status != http.StatusOK)
				if errors.Is(err, smsgateway.ErrAccount) != refused || !refused && err != nil {
					t.Errorf("got %v", err)
				}
				if err != nil && strings.Contains(err.Error(), credential) {
					t.Errorf("the error has credentials: %v", err)
				}
			})
		}
	}
}

func TestAProviderThatCannotBeReachedIsNoRefusal(t *testing.T) {
	double := smstest.NewServer(t, func(http.ResponseWriter, *http.Request) {})
	double.Close()
	for name := range providerTests {
		t.Run(name, func(t *testing.T) {
			err := lookAt(t.Context(), preset(t, name, double.URL, smstest.Patient))
			if err == nil || errors.Is(err, smsgateway.ErrAccount) || strings.Contains(err.Error(), credential) {
				t.Errorf("got %v", err)
			}
		})
	}
}

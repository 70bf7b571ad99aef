package provider_test

import (
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/holdline/holdline/smsgateway/provider"
	"github.com/holdline/holdline/smsgateway/smstest"
)

// echo repeats what it is asked: the worst that a provider can say.
func echo(r *http.Request, header http.Header) string {
	return fmt.Sprintf(`{"code":%q,"message":"%s to %s of %s %s"}`, smstest.Code, smstest.Code, smstest.Number, r.URL, header)
}

// breaksOff says yes and the half of what it says else.
func breaksOff(w http.ResponseWriter, _ *http.Request, body string) {
	w.Header().Set("Content-Length", fmt.Sprint(len(body)))
	_, _ = w.Write([]byte(body[:len(body)/2]))
}

func TestFaultsOfAnyProviderPassAndSayNothing(t *testing.T) {
	date := func(w http.ResponseWriter, _ *http.Request, _ string) {
		w.Header().Set("Date", smstest.Start.Format(http.TimeFormat))
		w.Header().Set("Retry-After", smstest.Start.Add(9*time.Second).Format(http.TimeFormat))
		w.WriteHeader(http.StatusTooManyRequests)
	}
	for fault, tt := range map[string]struct {
		answer func(w http.ResponseWriter, r *http.Request, good string)
		want   string
	}{
		"half an answer": {breaksOff, "unclear"},
		"seconds to wait": {func(w http.ResponseWriter, _ *http.Request, _ string) {
			w.Header().Set("Retry-After", "12")
			w.WriteHeader(http.StatusTooManyRequests)
		}, "passes after 12s"},
		"a date to wait for": {date, "passes after 9s"},
		"down": {func(w http.ResponseWriter, r *http.Request, _ string) {
			http.Error(w, echo(r, r.Header), http.StatusBadGateway)
		}, "passes"},
		"refused aloud": {func(w http.ResponseWriter, r *http.Request, _ string) {
			http.Error(w, echo(r, r.Header), http.StatusBadRequest)
		}, "refused"},
		"elsewhere": {func(w http.ResponseWriter, r *http.Request, _ string) {
			http.Redirect(w, r, "/elsewhere", http.StatusTemporaryRedirect)
		}, "refused"},
		"no HTTP": {func(w http.ResponseWriter, r *http.Request, _ string) { smstest.Garbage(w, r, 0) }, "unclear"},
		"slow": {func(_ http.ResponseWriter, r *http.Request, _ string) {
			_, _ = io.Copy(io.Discard, r.Body) // Only then the server sees that nobody waits any more.
			<-r.Context().Done()
		}, "unclear"},
	} {
		for name, p := range providerTests {
			t.Run(fault+" "+name, func(t *testing.T) {
				double := smstest.NewServer(t, func(w http.ResponseWriter, r *http.Request) { tt.answer(w, r, p.accepted.body) })
				options := smstest.Patient
				if fault == "slow" {
					options.Timeout = 50 * time.Millisecond
				}
				id, err := preset(t, name, double.URL, options).Send(t.Context(), smstest.NewMessage())
				if got := verdict(err); got != tt.want || id != "" {
					t.Errorf("got %q, %s, want %s (%v)", id, got, tt.want, err)
				}
				saysNothing(t, err)
			})
		}
	}
}

func TestProvidersThatCannotBeReachedPassAndSayNothing(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = listener.Close()
	untrusted := httptest.NewUnstartedServer(http.NotFoundHandler())
	untrusted.Config.ErrorLog = log.New(io.Discard, "", 0)
	untrusted.StartTLS()
	t.Cleanup(untrusted.Close)
	noSuchHost := transport(func(r *http.Request) (*http.Response, error) {
		return nil, &net.OpError{Op: "dial", Err: &net.DNSError{Err: "no such host", Name: r.URL.String(), IsNotFound: true}}
	})
	for fault, tt := range map[string]struct {
		endpoint, want string
		transport      http.RoundTripper
	}{
		"nobody listens":         {"http://" + listener.Addr().String(), "the connection is refused", nil},
		"nobody vouches for it":  {untrusted.URL, "the host's certificate is not trusted", nil},
		"nobody knows the host":  {"https://host.invalid", "the host's address cannot be found", noSuchHost},
		"nobody speaks TLS here": {"https://" + smstest.NewServer(t, nil).Listener.Addr().String(), "the connection breaks", nil},
	} {
		for name := range providerTests {
			t.Run(fault+" "+name, func(t *testing.T) {
				options := smstest.Patient
				options.Transport = tt.transport
				_, err := preset(t, name, tt.endpoint, options).Send(t.Context(), smstest.NewMessage())
				if verdict(err) != "passes" || !strings.Contains(err.Error(), tt.want) {
					t.Errorf("got %v, want a failure that passes: %s", err, tt.want)
				}
				saysNothing(t, err)
			})
		}
	}
}

func TestHalfANoIsANo(t *testing.T) {
	double := smstest.NewServer(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "100")
		w.WriteHeader(http.StatusBadRequest)
	})
	_, err := preset(t, "twilio", double.URL, provider.HTTPOptions{}).Send(t.Context(), smstest.NewMessage())
	if verdict(err) != "refused" {
		t.Errorf("got %v, want a refusal", err)
	}
}

package kratos_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holdline/holdline/internal/auth"
	"github.com/holdline/holdline/internal/claim"
	"github.com/holdline/holdline/internal/ratelimit"
	"github.com/holdline/holdline/internal/storetest"
	"github.com/holdline/holdline/kratos"
)

// slowKratos knows nobody, and finds a password wrong when it is told to. It is no
// server, so that time stands still while it compares.
type slowKratos struct {
	comparing atomic.Int32
	goOn      chan struct{}
}

func (s *slowKratos) RoundTrip(r *http.Request) (*http.Response, error) {
	answer := func(status int, body string) (*http.Response, error) {
		return &http.Response{
			StatusCode: status, Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(strings.NewReader(body)), Request: r,
		}, nil
	}
	switch {
	case r.Method == http.MethodPost:
		s.comparing.Add(1)
		defer s.comparing.Add(-1)
		select {
		case <-s.goOn:
			return answer(http.StatusBadRequest, `{"ui":{}}`)
		case <-r.Context().Done():
			return nil, r.Context().Err()
		}
	case strings.HasSuffix(r.URL.Path, "/admin/identities"):
		return answer(http.StatusOK, `[]`)
	default:
		return answer(http.StatusOK, `{"id":"00000000-0000-4000-8000-000000000000"}`)
	}
}

// However many guess at once, Kratos compares few passwords at a time: the others wait
// for their turn, and no longer than for an answer. Who got none has lost no try.
func TestFewPasswordsAreComparedAtOnce(t *testing.T) {
	const people, most, patience = 20, 8, 3 * time.Second
	for name, compared := range map[string]int{"Kratos answers": people, "Kratos answers some": 5, "Kratos does not answer in time": 0} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				slow := &slowKratos{goOn: make(chan struct{})}
				d, err := kratos.New(kratos.Options{
					PublicURL: "http://kratos.test", AdminURL: "http://kratos.test", MobileTrait: "mobile", PendingKey: "pending",
					Limiter: &storetest.Limiter{}, LoginFailures: 1, LoginWindow: time.Hour, Timeout: patience, Now: time.Now,
					HTTP: &http.Client{Transport: slow},
				})
				if err != nil {
					t.Fatal(err)
				}
				defer d.Close()
				var got outcomes
				got.guess(t, d, people)
				if n := slow.comparing.Load(); n != most {
					t.Errorf("passwords that are compared at once: got %d, want %d", n, most)
				}
				for range compared {
					slow.goOn <- struct{}{}
				}
				time.Sleep(2 * patience)
				synctest.Wait()
				got.want(t, compared, people-compared, 0)
				close(slow.goOn)
				got.guess(t, d, people)
				got.want(t, people, people-compared, compared)
			})
		})
	}
}

// outcomes counts how guesses ended.
type outcomes struct{ wrong, away, limited atomic.Int32 }

// guess tries a wrong password of each name at once.
func (o *outcomes) guess(t *testing.T, d *kratos.Client, names int) {
	t.Helper()
	for i := range names {
		go func() {
			_, err := d.Login(t.Context(), fmt.Sprintf("somebody%d", i), "wrong")
			switch {
			case errors.Is(err, auth.ErrNoSession):
				o.wrong.Add(1)
			case errors.Is(err, claim.ErrIdentitiesUnavailable):
				o.away.Add(1)
			case errors.Is(err, ratelimit.ErrTooManyTries):
				o.limited.Add(1)
			default:
				t.Errorf("got %v", err)
			}
		}()
	}
	synctest.Wait()
}

func (o *outcomes) want(t *testing.T, wrong, away, limited int) {
	t.Helper()
	if int(o.wrong.Load()) != wrong || int(o.away.Load()) != away || int(o.limited.Load()) != limited {
		t.Errorf("got %d refused, %d told to come again and %d limited, want %d, %d and %d",
			o.wrong.Load(), o.away.Load(), o.limited.Load(), wrong, away, limited)
	}
}

package auth_test

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/holdline/holdline/internal/audit"
	"github.com/holdline/holdline/internal/auth"
	"github.com/holdline/holdline/internal/problem"
	"github.com/holdline/holdline/internal/ratelimit"
	"github.com/holdline/holdline/internal/storetest"
)

const (
	home = "192.0.2.1"
	away = "198.51.100.7"
)

// desk is a set of clients, what they stand on, and a clock that stands still.
type desk struct {
	*auth.Authenticator
	t       *testing.T
	store   *storetest.Tokens
	limiter *storetest.Limiter
	mu      sync.Mutex
	now     time.Time
}

func newDesk(t *testing.T, configured ...auth.Token) *desk {
	t.Helper()
	d := &desk{t: t, store: &storetest.Tokens{}, limiter: &storetest.Limiter{}, now: time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)}
	d.Authenticator = d.replica(configured...)
	return d
}

// replica is another process on the same store.
func (d *desk) replica(configured ...auth.Token) *auth.Authenticator {
	return auth.New(auth.Options{
		Tokens: d.store, Configured: configured, Limiter: d.limiter, HashKey: []byte("key"),
		Failures: ratelimit.Limit{Most: 3, Window: time.Hour}, Now: d.clock, Log: slog.New(slog.DiscardHandler),
	})
}

func (d *desk) clock() time.Time {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.now
}

func (d *desk) wait(by time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.now = d.now.Add(by)
}

// token keeps a new token and returns its text.
func (d *desk) token(name string) string {
	d.t.Helper()
	text := mint()
	t, err := auth.NewToken(name, auth.DigestToken(text), auth.Scopes(), false, d.clock())
	if err == nil {
		err = d.store.Create(d.t.Context(), t, t.Event(auth.TokenCreated, audit.Actor{}, d.clock()), nil)
	}
	if err != nil {
		d.t.Fatal(err)
	}
	return text
}

func (d *desk) revoke(name string) {
	d.t.Helper()
	if err := d.store.Revoke(d.t.Context(), name, false, audit.Actor{}, d.clock()); err != nil {
		d.t.Fatal(err)
	}
}

// want asks from an address and wants the client of this name, or an error.
func (d *desk) want(clients *auth.Authenticator, text, address, name string, want error) {
	d.t.Helper()
	got, err := clients.Client(d.t.Context(), text, address)
	if got.Name != name || !errors.Is(err, want) {
		d.t.Errorf("got %q, %v, want %q, %v", got.Name, err, name, want)
	}
}

func TestClientsOfBothKinds(t *testing.T) {
	file, err := auth.NewToken("file", auth.DigestToken("an own choice"), []auth.Scope{auth.ScopeSCIMRead}, true, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	d := newDesk(t, file)
	okta, entra := d.token("okta"), d.token("entra")
	d.want(d.Authenticator, okta, home, "okta", nil)
	d.want(d.Authenticator, entra, home, "entra", nil)
	d.want(d.Authenticator, "an own choice", home, "file", nil)
	for _, wrong := range []string{"", "hlt_", mint(), "An own choice"} {
		d.want(d.Authenticator, wrong, wrong, "", auth.ErrNoToken)
	}
	got, err := d.Client(t.Context(), "an own choice", home)
	if diff := cmp.Diff(file, got); diff != "" || err != nil {
		t.Error(diff, err)
	}
	for text, want := range map[string]bool{
		okta: true, "an own choice": true, "hlt_nonsense": true, mint(): true,
		"ory_st_token": false, "": false, "hlt_": false, "hl": false,
	} {
		if got := d.Recognises(text); got != want {
			t.Errorf("recognises %q: %t", text, got)
		}
	}
}

func TestRevocationReachesEveryReplicaWithinFiveSeconds(t *testing.T) {
	d := newDesk(t)
	okta, other := d.token("okta"), d.replica()
	d.want(d.Authenticator, okta, home, "okta", nil)
	d.wait(2 * time.Second)
	d.want(other, okta, home, "okta", nil)
	d.revoke("okta")
	d.want(d.replica(), okta, home, "", auth.ErrNoToken)
	d.wait(5*time.Second - time.Microsecond)
	d.want(d.Authenticator, okta, home, "", auth.ErrNoToken)
	d.wait(time.Microsecond)
	d.want(other, okta, home, "", auth.ErrNoToken)
}

func TestLooksAreSpared(t *testing.T) {
	d := newDesk(t)
	okta := d.token("okta")
	for range 100 {
		d.want(d.Authenticator, okta, home, "okta", nil)
		d.wait(100 * time.Millisecond)
	}
	if got := d.store.Looks(); got != 2 {
		t.Errorf("looked %d times in ten seconds, want 2", got)
	}
}

func TestWrongTokensAreLimitedByAddress(t *testing.T) {
	d := newDesk(t)
	okta := d.token("okta")
	for _, wrong := range []string{mint(), "malformed", mint()} {
		d.want(d.Authenticator, wrong, away, "", auth.ErrNoToken)
	}
	looks := d.store.Looks()
	d.want(d.Authenticator, mint(), away, "", ratelimit.ErrTooManyTries)
	d.want(d.Authenticator, okta, away, "", ratelimit.ErrTooManyTries) // unknown here: it could be a guess
	d.want(d.replica(), mint(), away, "", ratelimit.ErrTooManyTries)
	if got := d.store.Looks(); got != looks {
		t.Errorf("%d guesses were compared at the limit", got-looks)
	}
	d.want(d.Authenticator, okta, home, "okta", nil)
	d.want(d.Authenticator, okta, away, "okta", nil) // known to be good
	d.wait(10 * time.Second)
	d.want(d.Authenticator, okta, away, "okta", nil)
	d.wait(20 * time.Minute)
	d.want(d.Authenticator, mint(), away, "", auth.ErrNoToken)
	d.want(d.Authenticator, mint(), away, "", ratelimit.ErrTooManyTries)
}

func TestManyGuessesAtOnceAreCounted(t *testing.T) {
	d := newDesk(t)
	var wait sync.WaitGroup
	for range 50 {
		wait.Go(func() { _, _ = d.Client(t.Context(), mint(), away) })
	}
	wait.Wait()
	if got := d.store.Looks(); got != 3 {
		t.Errorf("%d guesses were compared, want 3", got)
	}
}

func TestRightTokensCostNoTries(t *testing.T) {
	d := newDesk(t)
	for _, name := range []string{"a", "b", "c", "d", "e"} {
		d.want(d.Authenticator, d.token(name), home, name, nil)
	}
}

func TestUseIsNotedOnceAMinute(t *testing.T) {
	d := newDesk(t)
	okta := d.token("okta")
	began := d.clock()
	wantUsed := func(want time.Duration) {
		t.Helper()
		list, err := d.store.List(t.Context())
		if err != nil || len(list) != 1 || !list[0].LastUsed.Equal(began.Add(want)) {
			t.Errorf("got %+v, %v, want %v", list, err, want)
		}
	}
	for _, step := range []struct{ at, want time.Duration }{
		{0, 0}, {1, 0}, {59 * time.Second, 0}, {time.Minute, time.Minute}, {119 * time.Second, time.Minute}, {time.Hour, time.Hour},
	} {
		d.wait(began.Add(step.at).Sub(d.clock()))
		d.want(d.Authenticator, okta, home, "okta", nil)
		wantUsed(step.want)
	}
	d.wait(30 * time.Second)
	d.want(d.replica(), okta, home, "okta", nil) // another process sees that it was noted
	wantUsed(time.Hour)
}

func TestAStoreThatIsAwayIsNoWrongToken(t *testing.T) {
	file := auth.Token{Name: "file", Digest: auth.DigestToken("an own choice")}
	d := newDesk(t, file)
	okta := d.token("okta")
	d.want(d.Authenticator, okta, home, "okta", nil)
	d.store.Fail(problem.ErrStoreUnavailable)
	d.want(d.Authenticator, okta, home, "okta", nil)
	d.wait(5 * time.Second)
	d.want(d.Authenticator, "an own choice", home, "file", nil)
	for range 5 { // more than the limit has
		d.want(d.Authenticator, okta, home, "", problem.ErrStoreUnavailable)
		d.want(d.Authenticator, mint(), home, "", problem.ErrStoreUnavailable)
	}
	d.store.Fail(nil)
	d.want(d.Authenticator, okta, home, "okta", nil)
	d.limiter.Fail(problem.ErrStoreUnavailable)
	d.want(d.Authenticator, mint(), home, "", problem.ErrStoreUnavailable)
}

// A token whose time is over is like any that is not known, at once, also where it
// was good a moment ago.
func TestExpiredTokensOpenNothing(t *testing.T) {
	file, err := auth.NewToken("file", auth.DigestToken("an own choice"), []auth.Scope{auth.ScopeSCIMRead}, true, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	end := time.Date(2026, 11, 1, 12, 0, 2, 0, time.UTC)
	file.ExpiresAt = end
	d := newDesk(t, file)
	kept, err := auth.NewToken("kept", auth.DigestToken(mint()), auth.Scopes(), false, d.clock())
	if err != nil {
		t.Fatal(err)
	}
	text := mint()
	kept.Digest, kept.ExpiresAt = auth.DigestToken(text), end
	if err := d.store.Create(t.Context(), kept, kept.Event(auth.TokenCreated, audit.Actor{}, d.clock()), nil); err != nil {
		t.Fatal(err)
	}
	other := d.replica(file)
	d.want(d.Authenticator, text, home, "kept", nil)
	d.want(d.Authenticator, "an own choice", home, "file", nil)
	d.wait(2*time.Second - time.Nanosecond)
	d.want(d.Authenticator, text, home, "kept", nil)
	d.want(d.Authenticator, "an own choice", home, "file", nil)
	for _, digest := range []auth.TokenDigest{kept.Digest, file.Digest} {
		if _, err := d.Known(t.Context(), digest); err != nil {
			t.Error(err)
		}
	}
	d.wait(time.Nanosecond)
	for _, clients := range []*auth.Authenticator{d.Authenticator, other} {
		d.want(clients, text, away, "", auth.ErrNoToken)
		d.want(clients, "an own choice", away+"0", "", auth.ErrNoToken)
		for _, digest := range []auth.TokenDigest{kept.Digest, file.Digest} {
			if _, err := clients.Known(t.Context(), digest); !errors.Is(err, auth.ErrNoToken) {
				t.Errorf("known: got %v", err)
			}
		}
	}
	if !d.Recognises("an own choice") {
		t.Error("an expired token counts as a session's")
	}
}

func TestTokensThatExpireSoonAreWarnedOf(t *testing.T) {
	day := 24 * time.Hour
	store, now := &storetest.Tokens{}, time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	begin := now
	keep := func(name string, expires time.Time) auth.Token {
		token := auth.Token{Name: name, Digest: auth.DigestToken(name), Scopes: auth.Scopes(), CreatedAt: now, ExpiresAt: expires}
		if err := store.Create(t.Context(), token, audit.Event{At: begin.Add(-day)}, nil); err != nil {
			t.Fatal(err)
		}
		return token
	}
	keep("never", time.Time{})
	keep("revoked", now.Add(day))
	if err := store.Revoke(t.Context(), "revoked", false, audit.Actor{}, now); err != nil {
		t.Fatal(err)
	}
	keep("soon", now.Add(31*day))
	var log bytes.Buffer
	var told []string
	e := auth.Expiries{
		Tokens: store, Configured: []auth.Token{{Name: "file", ExpiresAt: now.Add(-day)}}, Now: func() time.Time { return now },
		Log: slog.New(slog.NewTextHandler(&log, nil)), Report: func(tokens []auth.Token) {
			told = nil
			for _, t := range tokens {
				told = append(told, t.Name)
			}
		},
	}
	for _, step := range []struct {
		wait       time.Duration
		soon, file int
	}{
		{0, 0, 1}, {time.Hour, 0, 1}, {23 * time.Hour, 1, 2}, {23 * time.Hour, 1, 2}, {time.Hour, 2, 3}, {29 * day, 3, 4},
	} {
		now = now.Add(step.wait)
		if err := e.Once(t.Context()); err != nil {
			t.Fatal(err)
		}
		soon, file := strings.Count(log.String(), "token=soon"), strings.Count(log.String(), `"token has expired" token=file`)
		if soon != step.soon || file != step.file || strings.Join(told, " ") != "file soon" {
			t.Errorf("at %v: soon %d, file %d, told %v, want %+v: %s", now.Sub(begin), soon, file, told, step, log.String())
		}
	}
	if strings.Contains(log.String(), "never") || strings.Contains(log.String(), "revoked") || !strings.Contains(log.String(), `"token has expired" token=soon`) {
		t.Errorf("got %s", log.String())
	}
}

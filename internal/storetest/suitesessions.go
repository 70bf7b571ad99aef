package storetest

import (
	"context"
	"testing"
	"time"

	"github.com/holdline/holdline/internal/audit"
	"github.com/holdline/holdline/internal/auth"
)

// TrailedSessions are sessions together with the audit trail that they write.
type TrailedSessions struct {
	auth.AdminSessionStore
	// Trail returns the lines that the sessions wrote, oldest first.
	Trail func() []audit.Event
}

// TestAdminSessions holds a store of sessions to what the comments of
// auth.AdminSessionStore promise. Each call of newSessions returns an empty one.
func TestAdminSessions(t *testing.T, newSessions func(*testing.T) TrailedSessions) {
	t.Helper()
	for name, test := range map[string]func(*sessions){
		"a session reads back as it began":          sessionsReadBack,
		"a session begins with its event or not":    sessionsBeginOnce,
		"a session ends once, with its event":       sessionsEnd,
		"use is noted forward only":                 sessionsTouched,
		"sessions that were not used are pruned":    sessionsPruned,
		"of many ends at once one writes its event": sessionsEndTogether,
	} {
		t.Run(name, func(t *testing.T) { test(&sessions{fixture{T: t}, newSessions(t)}) })
	}
}

// sessions is a test's empty store of sessions and its short words for it.
type sessions struct {
	fixture
	store TrailedSessions
}

func session(secret string) auth.AdminSession {
	return auth.AdminSession{
		Digest: auth.DigestSession(secret), Token: auth.DigestToken("token of " + secret), Name: "keeper",
		CreatedAt: noon, SeenAt: noon,
	}
}

// door is the line of a session's beginning or end.
func door(kind string) audit.Event { return audit.Event{Kind: kind, Actor: keeper, At: noon} }

func (f *sessions) begin(s auth.AdminSession) auth.AdminSession {
	f.Helper()
	f.want(f.store.BeginSession(f.Context(), s, door(auth.AdminSignedIn)), nil)
	return s
}

func (f *sessions) end(ctx context.Context, secret string) error {
	return f.store.EndSession(ctx, auth.DigestSession(secret), door(auth.AdminSignedOut))
}

func (f *sessions) found(want auth.AdminSession) {
	f.Helper()
	got, err := f.store.FindSession(f.Context(), want.Digest)
	f.want(err, nil)
	f.same(got, want)
}

func (f *sessions) gone(secret string) {
	f.Helper()
	_, err := f.store.FindSession(f.Context(), auth.DigestSession(secret))
	f.want(err, auth.ErrNoSession)
}

func (f *sessions) trail(kinds ...string) {
	f.Helper()
	want := []audit.Event{}
	for _, kind := range kinds {
		want = append(want, door(kind))
	}
	f.same(append([]audit.Event{}, f.store.Trail()...), want)
}

func sessionsReadBack(f *sessions) {
	f.gone("a")
	person := session("b")
	person.Token, person.IdentityID, person.Name = auth.TokenDigest{}, bob, bob
	person.CreatedAt, person.SeenAt = noon.Add(time.Second), noon.Add(time.Minute)
	for _, s := range []auth.AdminSession{f.begin(session("a")), f.begin(person)} {
		f.found(s)
	}
	f.gone("A")
	f.trail(auth.AdminSignedIn, auth.AdminSignedIn)
}

func sessionsBeginOnce(f *sessions) {
	a := f.begin(session("a"))
	again := session("a")
	again.Name = "somebody else"
	if err := f.store.BeginSession(f.Context(), again, door(auth.AdminSignedIn)); err == nil {
		f.Error("a session began twice")
	}
	f.found(a)
	f.trail(auth.AdminSignedIn)
}

func sessionsEnd(f *sessions) {
	f.begin(session("a"))
	b := f.begin(session("b"))
	for _, secret := range []string{"never began", "a", "a"} {
		f.want(f.end(f.Context(), secret), nil)
	}
	f.gone("a")
	f.found(b)
	f.trail(auth.AdminSignedIn, auth.AdminSignedIn, auth.AdminSignedOut)
}

func sessionsTouched(f *sessions) {
	a, b := f.begin(session("a")), f.begin(session("b"))
	for _, at := range []time.Duration{time.Hour, 0, time.Hour, time.Minute} {
		f.want(f.store.TouchSession(f.Context(), a.Digest, noon.Add(at)), nil)
	}
	f.want(f.store.TouchSession(f.Context(), auth.DigestSession("never began"), noon), nil)
	f.gone("never began")
	a.SeenAt = noon.Add(time.Hour)
	f.found(a)
	f.found(b)
}

func sessionsPruned(f *sessions) {
	for i, secret := range []string{"a", "b", "c"} {
		s := session(secret)
		s.SeenAt = noon.Add(time.Duration(i) * time.Microsecond)
		f.begin(s)
	}
	for range 2 {
		f.want(f.store.PruneSessions(f.Context(), noon.Add(time.Microsecond)), nil)
	}
	f.gone("a")
	for _, secret := range []string{"b", "c"} {
		_, err := f.store.FindSession(f.Context(), auth.DigestSession(secret))
		f.want(err, nil)
	}
	f.trail(auth.AdminSignedIn, auth.AdminSignedIn, auth.AdminSignedIn)
}

func sessionsEndTogether(f *sessions) {
	f.begin(session("a"))
	ends := together(f.Context(), 8, func(ctx context.Context, _ int) error { return f.end(ctx, "a") })
	f.wantWinners(ends, len(ends), nil)
	f.trail(auth.AdminSignedIn, auth.AdminSignedOut)
}

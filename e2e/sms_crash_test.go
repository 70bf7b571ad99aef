package e2e_test

import (
	"net/http"
	"testing"

	"github.com/holdline/holdline/e2e/harness"
)

// Between what the provider does and what the database says of it there is
// always a moment. A kill in that moment costs one repeat at most, with the same
// code and the same idempotency key, however many replicas look on.
func TestKilledBetweenSendingAndRecordingATextIsRepeatedOnce(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		// answered lets the provider's answer arrive while the database is away and
		// cannot take note of it.
		answered bool
		replica  bool
	}{
		"before the answer":                 {},
		"before the answer, with a replica": {replica: true},
		"after the answer":                  {answered: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var server *harness.Server
			if tt.answered {
				server = harness.OwnServer(t)
			}
			s := harness.NewStack(t, harness.Options{Server: server})
			bob := s.NewPerson(t, m0)
			reaction := harness.Reaction{Before: s.Holdline.Kill, Drop: true}
			if tt.answered {
				reaction = harness.Reaction{Before: func() { server.Stop(t) }}
			}
			s.Provider.Next(reaction)
			bob.MustSave(t, harness.Profile{Name: "After", Mobile: m1})
			s.Provider.Nth(t, m1, 1)
			if tt.answered {
				s.Provider.AwaitIdle(t)
				s.Holdline.Kill()
				server.Start(t)
			}
			awaitDeath(t, s)
			s.Holdline.Start(t)
			if tt.replica {
				s.Replica(t)
			}
			awaitText(t, bob, "sent")
			texts := s.Provider.Texts(m1)
			wantSame(t, texts)
			if len(texts) != 2 {
				t.Errorf("texts: got %d, want the first and one repeat", len(texts))
			}
			wantHeld(t, bob, m0, m1)
			wantEmpty(t, bob.Confirm(t, texts[0].Code), http.StatusAccepted)
			wantSettled(t, s, bob, m1, 1)
			wantTexts(t, s, "", 2)
		})
	}
}

// A kill while the first of two providers hangs: the second one sends the text,
// once, and nobody is texted twice.
func TestKilledWhileAProviderHangsTheNextOneSends(t *testing.T) {
	t.Parallel()
	stuck := harness.NewProvider(t)
	s := harness.NewStack(t, harness.Options{Gateways: []harness.Overlay{stuck.Gateway("stuck")}})
	bob := s.NewPerson(t, m0)
	stuck.Always(harness.Reaction{Hang: true})
	stuck.Next(harness.Reaction{Before: s.Holdline.Kill, Hang: true})
	bob.MustSave(t, harness.Profile{Name: "After", Mobile: m1})
	stuck.Nth(t, m1, 1)
	awaitDeath(t, s)
	s.Holdline.Start(t)
	text := s.Provider.Nth(t, m1, 1)
	awaitText(t, bob, "sent")
	wantSame(t, append(stuck.Texts(m1), text))
	wantEmpty(t, bob.Confirm(t, text.Code), http.StatusAccepted)
	wantSettled(t, s, bob, m1, 1)
	wantTexts(t, s, m1, 1)
}

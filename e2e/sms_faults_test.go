package e2e_test

import (
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/holdline/holdline/e2e/harness"
)

// smsFault is something that may be wrong with a provider.
type smsFault struct {
	// always is how the provider meets every request, unless it is down.
	always harness.Reaction
	down   bool
	// tls makes the provider show a certificate that nobody trusts.
	tls bool
	// url is what the gateway has for the provider's own.
	url string
	// vonage makes the provider speak that API.
	vonage bool
	// rest is how long the provider asks to be left alone.
	rest time.Duration
}

// smsFaults are the faults that pass.
var smsFaults = map[string]smsFault{
	"it is down":                        {down: true},
	"it hangs":                          {always: harness.Reaction{Hang: true}},
	"it breaks off":                     {always: harness.Reaction{Drop: true}},
	"it answers 503":                    {always: harness.Reaction{Status: http.StatusServiceUnavailable}},
	"it answers 429 and when to return": {always: harness.Reaction{Status: http.StatusTooManyRequests, Header: map[string]string{"Retry-After": "3"}}, rest: 3 * time.Second},
	"its certificate is not trusted":    {tls: true},
	"its name has no address":           {url: "http://host.invalid/send"},
	"it is Vonage and answers half":     {vonage: true, always: harness.Reaction{Half: true}},
	"it answers 200 and Vonage's error": {always: harness.Reaction{Body: harness.VonageError("5", "Internal Error")}},
	"it is Vonage and throttles":        {vonage: true, always: harness.Reaction{Body: harness.VonageError("1", "Throttled")}},
}

// provider makes the provider and the gateway that leads to it.
func (f smsFault) provider(t *testing.T) (*harness.Provider, harness.Overlay) {
	t.Helper()
	make := harness.NewProvider
	switch {
	case f.tls:
		make = harness.NewTLSProvider
	case f.vonage:
		make = harness.NewVonage
	}
	faulty := make(t)
	faulty.Always(f.always)
	if f.down {
		faulty.Down()
	}
	gateway := faulty.Gateway("faulty")
	gateway["timeout"] = "2s"
	if f.url != "" {
		gateway["request_config"].(harness.Overlay)["url"] = f.url
	}
	return faulty, gateway
}

// A provider that does not work is passed over: the text goes out by the next
// one, with the same code, once.
func TestATextGoesOutByTheNextProvider(t *testing.T) {
	t.Parallel()
	for name, fault := range smsFaults {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			faulty, gateway := fault.provider(t)
			s := harness.NewStack(t, harness.Options{Gateways: []harness.Overlay{gateway}})
			bob := s.NewPerson(t, m0)
			bob.MustSave(t, harness.Profile{Name: "After", Mobile: m1})
			text := s.Provider.Nth(t, m1, 1)
			wantSame(t, append(faulty.Texts(m1), text))
			awaitText(t, bob, "sent")
			wantEmpty(t, bob.Confirm(t, text.Code), http.StatusAccepted)
			wantMade(t, bob, m1)
			wantTexts(t, s, m1, 1)
		})
	}
}

// The same with nobody to go to: until the next try the owner is not told that
// the text was sent,
// and gets it when the fault is over.
func TestATextWaitsForItsOnlyProvider(t *testing.T) {
	t.Parallel()
	for name, fault := range smsFaults {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			faulty, gateway := fault.provider(t)
			s := harness.NewStack(t, harness.Options{})
			s.Holdline.Reconfigure(t, onlyGateways(gateway))
			bob := s.NewPerson(t, m0)
			bob.MustSave(t, harness.Profile{Name: "After", Mobile: m1})
			awaitTried(t, s, bob)
			if c, ok := bob.Claim(t); !ok || c.Text != "queued" {
				t.Errorf("claim: got %+v, want its text queued", c)
			}
			wantHeld(t, bob, m0, m1)
			healed := faulty
			switch {
			case fault.tls, fault.url != "":
				healed = s.Provider
				s.Holdline.Reconfigure(t, onlyGateways(healed.Gateway("faulty")))
			case fault.down:
				faulty.Up()
			default:
				faulty.Always(harness.Reaction{})
			}
			awaitText(t, bob, "sent")
			texts := faulty.Texts(m1)
			if healed != faulty {
				texts = append(texts, healed.Texts(m1)...)
			}
			wantSame(t, texts)
			if got := taken(texts); len(got) != 1 {
				t.Errorf("texts that a provider took: got %d, want 1", len(got))
			}
			if fault.rest > 0 {
				if pause := texts[1].At.Sub(texts[0].At); pause < fault.rest {
					t.Errorf("the provider was left alone for %s, want %s", pause, fault.rest)
				}
			}
			wantEmpty(t, bob.Confirm(t, texts[len(texts)-1].Code), http.StatusAccepted)
			wantMade(t, bob, m1)
		})
	}
}

// While a provider hangs on a heap of texts, those that do not go by it go out at
// once, and the heap goes out by the next one.
func TestAProviderThatHangsHoldsUpNobodyElse(t *testing.T) {
	t.Parallel()
	const british = "+447400123456"
	stuck := harness.NewProvider(t)
	gateway := stuck.Gateway("stuck")
	gateway["concurrency"] = 8
	s := harness.NewStack(t, harness.Options{
		Gateways: []harness.Overlay{gateway},
		Holdline: harness.Overlay{"sms": harness.Overlay{"routes": []harness.Overlay{
			{"calling_codes": []string{"44"}, "gateways": []string{"stuck", "provider"}},
			{"calling_codes": []string{"49"}, "gateways": []string{"provider"}},
		}}},
	})
	alice, bob := s.NewPerson(t, m3), s.NewPerson(t, m0)
	alice.MustSave(t, harness.Profile{Name: "After", Mobile: british})
	stuck.Nth(t, british, 1)
	awaitText(t, alice, "sent")
	gaveUp := make(chan struct{}, 1000)
	stuck.Always(harness.Reaction{Hang: true, GivenUp: func() { gaveUp <- struct{}{} }})
	heap := harness.Backlog{Of: alice, Number: british, Count: 60}
	s.Database.Add(t, heap)
	harness.Eventually(t, "the provider hangs", func() error {
		if len(stuck.Texts("")) == 1 {
			return errNotYet
		}
		return nil
	})
	bob.MustSave(t, harness.Profile{Name: "After", Mobile: m1})
	text := s.Provider.Nth(t, m1, 1)
	if len(gaveUp) > 0 {
		t.Error("the text waited for a provider that it does not go by")
	}
	wantEmpty(t, bob.Confirm(t, text.Code), http.StatusAccepted)
	wantMade(t, bob, m1)
	for n := 1; n <= heap.Count; n++ {
		text := s.Provider.Nth(t, heap.To(n), 1)
		wantSame(t, append(stuck.Texts(heap.To(n)), text))
		wantTexts(t, s, heap.To(n), 1)
	}
}

// onlyGateways makes these all the gateways there are.
func onlyGateways(gateways ...harness.Overlay) harness.Overlay {
	return harness.Overlay{"sms": harness.Overlay{"gateways": gateways}}
}

// awaitTried waits until the person's text was tried in vain.
func awaitTried(t *testing.T, s *harness.Stack, p *harness.Person) {
	t.Helper()
	harness.Eventually(t, "the text was tried in vain", func() error {
		if s.Database.Count(t, "texts", "identity_id = ? AND tries > 0 AND state = 'queued'", p.ID) == 0 {
			return errNotYet
		}
		return nil
	})
}

// taken are the texts that the provider took.
func taken(texts []harness.Text) []harness.Text {
	return slices.DeleteFunc(slices.Clone(texts), func(text harness.Text) bool { return !text.Taken })
}

// wantSame checks that texts are repeats of one: same code, same idempotency key.
func wantSame(t *testing.T, texts []harness.Text) {
	t.Helper()
	for _, text := range texts {
		if text.Code != texts[0].Code || text.Code == "" {
			t.Errorf("a repeat has another code: %q and %q", texts[0].Body, text.Body)
		}
		if text.Key != texts[0].Key && text.Key != "" && texts[0].Key != "" { // not every API has one
			t.Errorf("a repeat has another idempotency key: %q and %q", texts[0].Key, text.Key)
		}
	}
}

// awaitText waits until the owner is shown that the newest text is in a state.
func awaitText(t *testing.T, p *harness.Person, state string) {
	t.Helper()
	harness.Eventually(t, "the text is "+state, func() error {
		if c, ok := p.Claim(t); !ok || c.Text != state {
			return errNotYetWith(c.Text)
		}
		return nil
	})
}

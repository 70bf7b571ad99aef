package claim_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/holdline/holdline/internal/admin"
	"github.com/holdline/holdline/internal/audit"
	"github.com/holdline/holdline/internal/claim"
	"github.com/holdline/holdline/internal/message"
)

// client is a provisioning client's change, with the token's privilege or not.
func client(number string, asked, whole, privileged bool) scimChange {
	c := scimChange{who: audit.Client, client: true, asked: asked, touch: claim.UpdateExplicit, wanted: number}
	if privileged {
		c.who = audit.Privileged
	}
	if whole && !asked {
		c.touch = claim.UpdateFull
	}
	return c
}

// cycle is what a client says each hour, while workers do their chores.
func (w *world) cycle(c scimChange) {
	w.t.Helper()
	if _, err := w.provision(c); err != nil {
		w.t.Fatalf("%v after the start: %v", w.Now().Sub(start), err)
	}
	w.pass(time.Hour)
	w.chores()
	w.deliver()
}

var start = time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)

// openings are the reasons of the audit lines that say that a claim was opened.
func (w *world) openings() []string {
	w.t.Helper()
	events, err := w.archive().FindEvents(w.t.Context(), admin.EventQuery{Limit: 999})
	if err != nil {
		w.t.Fatal(err)
	}
	var reasons []string
	for _, e := range events {
		if e.Kind == string(claim.Open) {
			reasons = append([]string{e.Reason}, reasons...)
		}
	}
	return reasons
}

func TestAClientsCyclesCostOneText(t *testing.T) {
	for name, tt := range map[string]struct {
		before claim.Identity
		policy func(*claim.Policy)
		change func(whole, privileged bool) scimChange
		texts  int
	}{
		"a number without verification, always verified": {
			claim.Identity{ID: bob, Mobile: m1},
			func(p *claim.Policy) { p.VerifyAlways, p.VerifyPrivileged = true, true },
			func(whole, privileged bool) scimChange { return client(m1, false, whole, privileged) }, 1,
		},
		"the same, privileged clients are believed": {
			claim.Identity{ID: bob, Mobile: m1},
			func(p *claim.Policy) { p.VerifyAlways = true },
			func(bool, bool) scimChange { return client(m1, false, false, true) }, 0,
		},
		"another number than the stored one, always verified": {
			claim.Identity{ID: bob, Mobile: m0, Verified: true},
			func(p *claim.Policy) { p.VerifyAlways, p.VerifyPrivileged = true, true },
			func(whole, privileged bool) scimChange { return client(m1, false, whole, privileged) }, 1,
		},
		"the flag each time": {
			claim.Identity{ID: bob, Mobile: m0, Verified: true},
			func(p *claim.Policy) { p.VerifyPrivileged = true },
			func(whole, privileged bool) scimChange { return client(m1, true, whole, privileged) }, 1,
		},
		"a first number": {
			claim.Identity{ID: bob},
			func(p *claim.Policy) { p.VerifyAlways, p.VerifyPrivileged = true, true },
			func(whole, privileged bool) scimChange { return client("+49 171 1111111", false, whole, privileged) }, 1,
		},
	} {
		for _, whole := range []bool{false, true} {
			for _, privileged := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s, whole %t, privileged %t", name, whole, privileged), func(t *testing.T) {
					w := newWorld(t, tt.before)
					tt.policy(&w.policy)
					c := tt.change(whole, privileged)
					for range 24 * 10 {
						w.cycle(c)
					}
					// A whole record that repeats what is stored asks for nothing.
					texts := tt.texts
					if c.touch == claim.UpdateFull && tt.before.Mobile == m1 {
						texts = 0
					}
					if got := len(w.sent); got != texts {
						t.Errorf("got %d texts, want %d", got, texts)
					}
					if texts == 0 {
						return
					}
					for i, reason := range w.openings() {
						if want := i > 0; strings.HasPrefix(reason, "without a text: one_text_per_client") != want {
							t.Fatalf("opening %d: reason %q", i+1, reason)
						}
					}
					// The person acts, and has it.
					if _, err := w.provision(c); err != nil {
						t.Fatal(err)
					}
					wantErr(t, w.Resend(t.Context(), w.caller(bob)), nil)
					wantErr(t, w.confirm(bob, w.lastCode()), nil)
					w.wantIdentity(m1, true, "")
				})
			}
		}
	}
}

func TestAClaimWithoutATextWaitsForItsOwner(t *testing.T) {
	w := newWorld(t, claim.Identity{ID: bob, Mobile: m0}) // who has no verified number, and so no text of their own
	w.policy.Texts.PerNumberDay = 1
	w.policy.VerifyAlways = true
	w.dir.Put(claim.Identity{ID: "somebody"})
	w.submit("somebody", "flow", m1) // takes the number's only text of the day
	p, err := w.provision(client(m1, false, false, false))
	if err != nil || p.Pending.Unmasked() != m1 {
		t.Fatalf("got %v, %v", p.Pending.Unmasked(), err)
	}
	w.wantIdentity(m0, false, m1)
	w.wantTexts(m1)
	status, err := w.Status(t.Context(), w.caller(bob))
	if err != nil || status.State != claim.Open || status.Text != message.TextNone || !status.CodeExpires.IsZero() {
		t.Fatalf("got %+v, %v", status, err)
	}
	if got := w.openings()[1]; got != "without a text: "+claim.LimitNumberTexts {
		t.Errorf("the audit trail says %q", got)
	}
	for range 30 { // no code is ever right, and none costs a try
		wantErr(t, w.confirm(bob, "123456"), claim.ErrCodeExpired)
		wantErr(t, w.confirm(bob, ""), claim.ErrWrongCode)
	}
	wantErr(t, w.Resend(t.Context(), w.caller(bob)), claim.ErrTooManyTexts) // the number's, still
	w.pass(status.NextText.Sub(w.Now()))
	wantErr(t, w.Resend(t.Context(), w.caller(bob)), nil)
	w.wantTexts(m1, m1)
	wantErr(t, w.confirm(bob, w.lastCode()), nil)
	w.wantIdentity(m1, true, "")
}

// A limit that a client met is not the person's: they ask from an address of their own.
func TestAClientsAddressLimitIsNotThePersons(t *testing.T) {
	w := newWorld(t, claim.Identity{ID: bob, Mobile: m0})
	w.policy.Texts.PerAddressHour = 1
	w.policy.VerifyAlways = true
	w.dir.Put(claim.Identity{ID: "somebody"})
	w.submit("somebody", "flow", m2)
	w.pass(time.Minute)
	crowd := w.caller("somebody")
	crowd.ClientIP = "198.51.100.7"
	wantErr(t, w.Resend(t.Context(), crowd), nil) // the address has had its text
	change := client(m1, false, false, false)
	change.address = crowd.ClientIP
	if _, err := w.provision(change); err != nil {
		t.Fatal(err)
	}
	w.wantTexts(m2, m2)
	caller := w.caller(bob)
	caller.ClientIP = "203.0.113.9"
	if status, err := w.Status(t.Context(), caller); err != nil || status.NextText.IsZero() || status.NextText.After(w.Now()) {
		t.Errorf("the next text may be asked for at %v, %v, want at once", status.NextText, err)
	}
	wantErr(t, w.Resend(t.Context(), caller), nil)
	w.wantTexts(m2, m2, m1)
}

// A number that a client could not have texted for a limit is texted in a later
// claim: the client has caused none yet.
func TestAClientsTextThatALimitForbadeComesLater(t *testing.T) {
	w := newWorld(t)
	w.policy.VerifyAlways = true
	stopped := true
	w.Stopped = func(string) bool { return stopped }
	w.cycle(client(m1, false, false, false))
	w.wantTexts()
	w.wantIdentity(m0, true, m1)
	stopped = false
	for range 72 {
		w.cycle(client(m1, false, false, false))
	}
	w.wantTexts(m1)
}

func TestWhoActsMayBeTextedForAClientAgain(t *testing.T) {
	for name, tt := range map[string]struct {
		act   func(*world)
		texts int // in all, three days later
	}{
		"types a wrong code": {func(w *world) { _ = w.confirm(bob, w.wrongCode()) }, 2},
		"asks for a code":    {func(w *world) { _ = w.Resend(context.Background(), w.caller(bob)) }, 3},
		"takes it back":      {func(w *world) { _ = w.Cancel(context.Background(), w.caller(bob)) }, 1},
		"does nothing":       {func(*world) {}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.policy.VerifyAlways = true
			change := client(m1, false, false, false)
			if _, err := w.provision(change); err != nil {
				t.Fatal(err)
			}
			w.pass(time.Minute)
			tt.act(w)
			for range 72 {
				w.cycle(change)
			}
			if got := len(w.sent); got != tt.texts {
				t.Errorf("got %d texts, want %d", got, tt.texts)
			}
		})
	}
}

// A client's write whose answer was lost is found out by a worker, and its text
// counts as the client's too.
func TestAClientsTextCountsAlsoWhenAWorkerSendsIt(t *testing.T) {
	w := newWorld(t)
	w.policy.VerifyAlways = true
	lost := client(m1, false, false, false)
	lost.failure = claim.ErrIdentitiesUnavailable
	p, err := w.provision(lost)
	wantErr(t, err, claim.ErrIdentitiesUnavailable)
	i := w.identity(bob)
	i.Pending = p.Pending.Unmasked()
	w.dir.Put(i)
	for range 5 {
		w.pass(time.Minute)
		w.chores()
	}
	w.wantTexts(m1)
	for range 72 {
		w.cycle(client(m1, false, false, false))
	}
	w.wantTexts(m1)
}

func TestAClientWaitsForNumbersThatAreBeingWritten(t *testing.T) {
	w := newWorld(t)
	w.submit(bob, "flow", m1)
	w.dir.Fail(claim.ErrIdentitiesUnavailable)
	wantErr(t, w.confirm(bob, w.lastCode()), nil)
	w.dir.Fail(nil)
	for _, number := range []string{m0, m1, m2, ""} {
		p, err := w.provision(client(number, true, false, false))
		if err != nil || !p.HoldsBack() {
			t.Errorf("%q: %d, %v", number, p.Decision, err)
		}
	}
	for range 5 {
		w.pass(time.Minute)
		w.chores()
	}
	w.wantIdentity(m1, true, "")
}

// A directory that knows no number removes none where numbers must not be removed,
// and everything else that it says is written.
func TestAClientWithoutANumberIsNotRefused(t *testing.T) {
	w := newWorld(t)
	w.policy.Removal = claim.RemovalDeny
	for range 3 {
		w.cycle(client("", false, true, false))
	}
	w.wantIdentity(m0, true, "")
	_, err := w.provision(client("", false, false, false)) // a PATCH means it
	wantErr(t, err, claim.ErrRemovalDenied)
	_, err = w.provision(scimChange{touch: claim.UpdateFull}) // so does the owner
	wantErr(t, err, claim.ErrRemovalDenied)
}

func TestNumbersThatAreLeftOut(t *testing.T) {
	for name, tt := range map[string]struct {
		wanted         string
		policy         func(*claim.Policy)
		unusable, any_ bool // are left out then
		reason         string
	}{
		"unreadable":     {"0171", func(*claim.Policy) {}, true, true, "not a usable telephone number: no_calling_code"},
		"not served":     {"+431711111111", func(p *claim.Policy) { p.Coverage.Allowed = []string{"49"} }, true, true, "numbers of this kind or country are not texted"},
		"removal denied": {"", func(p *claim.Policy) { p.Removal = claim.RemovalDeny }, false, true, "the number must not be removed"},
	} {
		for how, skips := range map[claim.LeaveOut]bool{claim.LeaveOutNone: false, claim.LeaveOutUnusable: tt.unusable, claim.LeaveOutAny: tt.any_} {
			t.Run(fmt.Sprintf("%s, %d", name, how), func(t *testing.T) {
				w := newWorld(t)
				tt.policy(&w.policy)
				change := client(tt.wanted, true, false, false)
				change.leaveOut = how
				p, err := w.provision(change)
				if skips != (err == nil) || skips && !p.HoldsBack() {
					t.Fatalf("got %d, %v", p.Decision, err)
				}
				w.wantIdentity(m0, true, "")
				w.wantTexts()
				events, _ := w.archive().FindEvents(t.Context(), admin.EventQuery{Limit: 9})
				if skips && (len(events) != 1 || events[0].Kind != claim.NumberLeftOut || events[0].Reason != tt.reason) {
					t.Errorf("the audit trail says %+v", events)
				}
				if !skips && len(events) > 0 {
					t.Errorf("the audit trail says %+v", events)
				}
			})
		}
	}
}

// Whatever a client repeats, in whatever order with what its person does, it fails
// never, and of what it repeats nobody gets more texts than they acted times, and
// one for each number.
func TestClientsRepeatThemselvesBesidePeople(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	random := rand.New(rand.NewPCG(seed, 0))
	defer func() {
		if t.Failed() {
			t.Logf("seed %d", seed)
		}
	}()
	numbers := []string{m0, m1, m2}
	for range 15 {
		w := newWorld(t, claim.Identity{ID: bob, Mobile: m0, Verified: random.IntN(2) == 0})
		w.policy.VerifyAlways, w.policy.VerifyPrivileged = random.IntN(2) == 0, random.IntN(2) == 0
		said := client(numbers[random.IntN(3)], random.IntN(2) == 0, random.IntN(2) == 0, random.IntN(2) == 0)
		acts := 0
		for day := range 10 {
			for range 24 {
				before, had := w.identity(bob), w.pending()
				if _, err := w.provision(said); err != nil {
					t.Fatalf("day %d: %v", day, err)
				}
				news := said.wanted != before.Mobile && said.wanted != had
				if now := w.pending(); had != "" && !news && now != had {
					t.Fatalf("day %d: %+v ends the claim for %s", day, said, had)
				}
				switch random.IntN(12) {
				case 0:
					wanted := numbers[random.IntN(3)]
					if answer, err := w.stage(bob, fmt.Sprint("flow", w.Now()), wanted); err == nil {
						w.persist(bob, wanted, answer)
						w.activate(bob, fmt.Sprint("flow", w.Now()))
						acts++
					}
				case 1:
					if len(w.sent) > 0 && w.confirm(bob, w.lastCode()) == nil {
						acts++
					}
				case 2:
					if len(w.sent) > 0 {
						_ = w.confirm(bob, w.wrongCode())
						acts++
					}
				case 3:
					if w.Resend(t.Context(), w.caller(bob)) == nil {
						acts++
					}
				case 4:
					_ = w.Cancel(t.Context(), w.caller(bob))
				}
				w.pass(time.Hour)
				w.chores()
				w.deliver()
			}
		}
		if got, most := len(w.sent), 1+2*acts; got > most {
			t.Fatalf("%+v: %d texts of %d acts", said, got, acts)
		}
	}
}

// pending is the number of bob's open or accepted claim; blank for none.
func (w *world) pending() string {
	w.t.Helper()
	s, err := w.store.Current(w.t.Context(), bob, w.Now())
	if err != nil {
		w.t.Fatal(err)
	}
	if s.Active == nil {
		return ""
	}
	return s.Active.Number.Unmasked()
}

// archive is the world's audit trail.
func (w *world) archive() admin.Store {
	archive, ok := w.store.(admin.Store)
	if !ok {
		w.t.Fatal("the store keeps no archive")
	}
	return archive
}

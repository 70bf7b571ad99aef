package claim_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/holdline/holdline/internal/claim"
	"github.com/holdline/holdline/internal/message"
	"github.com/holdline/holdline/internal/otp"
	"github.com/holdline/holdline/internal/phone"
)

// told lists the notices that went out, as kind, channel and number.
func (w *world) told() []string {
	var told []string
	for _, text := range w.sent {
		if text.Kind != message.TextCode {
			told = append(told, strings.TrimSpace(string(text.Kind)+" "+string(text.Channel)+" "+text.To.Unmasked()))
		}
	}
	return told
}

func (w *world) wantTold(want ...string) {
	w.t.Helper()
	if got := strings.Join(w.told(), ", "); got != strings.Join(want, ", ") {
		w.t.Errorf("told %q, want %q", got, strings.Join(want, ", "))
	}
}

func TestTheOldNumberIsToldOfAChange(t *testing.T) {
	verified := claim.Identity{ID: bob, Mobile: m0, Verified: true}
	for name, tt := range map[string]struct {
		before  claim.Identity
		notices claim.Notices
		wanted  string
		want    []string
	}{
		"a verified number is replaced":  {verified, claim.Notices{OldNumber: true}, m1, []string{"changed sms " + m0}},
		"the notice is off":              {verified, claim.Notices{}, m1, nil},
		"a first number":                 {claim.Identity{ID: bob}, claim.Notices{OldNumber: true, Webhook: true}, m1, nil},
		"the number that it has already": {claim.Identity{ID: bob, Mobile: m1}, claim.Notices{OldNumber: true, Webhook: true}, m1, nil},
		"an unverified number may be a stranger's": {
			claim.Identity{ID: bob, Mobile: m0},
			claim.Notices{OldNumber: true, Webhook: true},
			m1,
			[]string{"requested webhook " + m1, "changed webhook " + m1},
		},
		"with a webhook": {
			verified,
			claim.Notices{OldNumber: true, Webhook: true},
			m1,
			[]string{"requested webhook " + m1, "changed sms " + m0, "changed webhook " + m1},
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, tt.before)
			w.policy.Notices = tt.notices
			i := w.identity(bob)
			if i.Mobile == tt.wanted { // only a privileged request asks for that; here the claim is made by hand
				w.stageSame(tt.wanted)
			} else {
				w.submit(bob, "flow", tt.wanted)
			}
			wantErr(t, w.confirm(bob, w.codeText()), nil)
			w.wantIdentity(tt.wanted, true, "")
			w.wantTold(tt.want...)
		})
	}
}

// stageSame opens a claim for the number that the identity has, unverified.
func (w *world) stageSame(number string) {
	w.t.Helper()
	c := claim.Claim{
		ID: "11111111111111111111111111111111", IdentityID: bob, Number: phone.FromStore(number),
		Previous: phone.FromStore(number), State: claim.Open, CreatedAt: w.Now(), LapsesAt: w.Now().Add(time.Hour),
		CodeKey: w.codes.Key(), CodeNumber: 1, CodeExpires: w.Now().Add(time.Minute),
	}
	if err := w.store.Commit(w.t.Context(), claim.Change{Create: &c, At: w.Now()}); err != nil {
		w.t.Fatal(err)
	}
	w.sent = append(w.sent, message.Text{Kind: message.TextCode, To: c.Number, Code: c.Code()})
}

// codeText is the code that was texted last, whatever notices came after it.
func (w *world) codeText() string {
	w.t.Helper()
	last := message.Text{}
	for _, text := range w.sent {
		if text.Kind == message.TextCode {
			last = text
		}
	}
	return derive(w.t, w.codes, last.Code)
}

// A crash between Kratos' write and ours does not swallow the notice.
func TestTheNoticeSurvivesACrash(t *testing.T) {
	w := newWorld(t)
	w.policy.Notices.OldNumber = true
	w.submit(bob, "flow", m1)
	w.dir.Fail(claim.ErrIdentitiesUnavailable)
	wantErr(t, w.confirm(bob, w.codeText()), nil)
	w.wantTold()
	w.dir.Fail(nil)
	w.dir.Put(claim.Identity{ID: bob, Mobile: m1, Verified: true}) // written, then the process died
	w.pass(time.Hour)
	w.chores()
	w.wantTold("changed sms " + m0)
	w.pass(time.Hour)
	w.chores()
	w.wantTold("changed sms " + m0)
}

func TestALinkDisputesAChangeOnce(t *testing.T) {
	w := newWorld(t)
	w.policy.Notices = claim.Notices{OldNumber: true, Webhook: true, Window: 72 * time.Hour}
	w.submit(bob, "one", m1)
	wantErr(t, w.confirm(bob, w.codeText()), nil)
	link := w.lastLink()
	w.submit(bob, "two", m2)
	w.pass(71 * time.Hour)
	w.policy.Lifetime = 100 * time.Hour
	w.submit(bob, "three", m0)

	w.wantDisputable(link, message.TextChanged)
	got, err := w.Dispute(t.Context(), link, "192.0.2.1")
	if want := (claim.Dispute{Cancelled: true, Reported: true}); err != nil || got != want {
		t.Errorf("got %+v, %v, want %+v", got, err, want)
	}
	w.wantIdentity(m1, true, "")
	if told := w.told(); told[len(told)-1] != "disputed webhook "+m1 {
		t.Errorf("told %q last", told[len(told)-1])
	}
	before := len(w.told())
	w.submit(bob, "four", m2)
	got, err = w.Dispute(t.Context(), link, "192.0.2.1")
	if want := (claim.Dispute{Reported: true}); err != nil || got != want {
		t.Errorf("the second time: got %+v, %v, want %+v", got, err, want)
	}
	if after := len(w.told()); after != before+1 { // the request of flow four
		t.Errorf("told %v", w.told())
	}
	w.wantIdentity(m1, true, m2) // a link that was used cancels nothing more
}

func TestALinkCancelsTheOpenClaimThatItIsFor(t *testing.T) {
	w := newWorld(t)
	w.policy.Notices = claim.Notices{Webhook: true, Window: time.Hour}
	w.submit(bob, "flow", m1)
	got, err := w.Dispute(t.Context(), w.lastLink(), "")
	if want := (claim.Dispute{Cancelled: true}); err != nil || got != want {
		t.Errorf("got %+v, %v, want %+v", got, err, want)
	}
	wantErr(t, w.confirm(bob, w.codeText()), claim.ErrWrongCode)
	w.wantIdentity(m0, true, "")
	_, err = w.Dispute(t.Context(), w.lastLink(), "")
	wantErr(t, err, otp.ErrLinkDead)
}

// racedOnce is a store in which somebody else is faster, once.
type racedOnce struct {
	claim.Store
	on string // the reason that the raced change gives
}

func (r *racedOnce) Commit(ctx context.Context, change claim.Change) error {
	for _, move := range change.Transitions {
		if r.on != "" && move.Claim.Reason == r.on {
			r.on = ""
			return claim.ErrConcurrentUpdate
		}
	}
	return r.Store.Commit(ctx, change)
}

// Reporting and cancelling happen together or not at all.
func TestADisputeThatIsRacedStillCancels(t *testing.T) {
	w := newWorld(t)
	w.policy.Notices = claim.Notices{OldNumber: true, Window: time.Hour}
	w.submit(bob, "one", m1)
	wantErr(t, w.confirm(bob, w.codeText()), nil)
	link := w.lastLink()
	w.submit(bob, "two", m2)
	w.Store = &racedOnce{w.store, "disputed"}
	got, err := w.Dispute(t.Context(), link, "")
	if want := (claim.Dispute{Cancelled: true, Reported: true}); err != nil || got != want {
		t.Errorf("got %+v, %v, want %+v", got, err, want)
	}
	w.wantIdentity(m1, true, "")
}

// Whoever asks for another number at once does not shake the first link off.
func TestTheLinkOfASupersededClaimSpeaksOfItsSuccessor(t *testing.T) {
	for name, tt := range map[string]struct {
		confirm bool
		want    claim.Dispute
	}{"still open": {false, claim.Dispute{Cancelled: true}}, "applied": {true, claim.Dispute{Reported: true}}} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.policy.Notices = claim.Notices{Webhook: true, Window: time.Hour}
			w.submit(bob, "one", m1)
			link := w.lastLink()
			w.submit(bob, "two", m2)
			if tt.confirm {
				wantErr(t, w.confirm(bob, w.codeText()), nil)
			}
			got, err := w.Dispute(t.Context(), link, "")
			if err != nil || got != tt.want {
				t.Errorf("got %+v, %v, want %+v", got, err, tt.want)
			}
		})
	}
}

// A claim that opens without a text is told of all the same.
func TestASilentOpeningIsToldToo(t *testing.T) {
	w := newWorld(t)
	w.policy.Notices = claim.Notices{Webhook: true, Window: time.Hour}
	w.policy.Texts = claim.TextLimits{PerIdentityDay: 1}
	first, err := w.stage(bob, "one", m1)
	wantErr(t, err, nil)
	second, err := w.stage(bob, "two", m2)
	wantErr(t, err, nil)
	w.persist(bob, m1, first)
	w.activate(bob, "one")
	w.pass(aMoment)
	w.persist(bob, m2, second)
	w.activate(bob, "two")
	w.wantTold("requested webhook "+m1, "requested webhook "+m2)
}

// A claim may have set out from no number, and replace one all the same.
func TestTheOperatorIsToldWhateverTheClaimSetOutFrom(t *testing.T) {
	w := newWorld(t, claim.Identity{ID: bob})
	w.policy.Notices = claim.Notices{OldNumber: true, Webhook: true, Window: time.Hour}
	w.submit(bob, "one", m1)
	wantErr(t, w.confirm(bob, w.codeText()), nil)
	w.wantTold() // a first number
	link := w.lastLink()
	got, err := w.Dispute(t.Context(), link, "")
	if want := (claim.Dispute{Reported: true}); err != nil || got != want {
		t.Errorf("got %+v, %v, want %+v", got, err, want)
	}
	w.wantTold("disputed webhook " + m1)
}

// A form that puts back what a disputed change left behind does not make it again.
func TestADisputedChangeIsNotMadeAgain(t *testing.T) {
	w := newWorld(t)
	w.policy.Notices = claim.Notices{OldNumber: true, Window: time.Hour}
	w.submit(bob, "one", m1)
	wantErr(t, w.confirm(bob, w.codeText()), nil)
	_, err := w.Dispute(t.Context(), w.lastLink(), "")
	wantErr(t, err, nil)
	w.dir.Put(claim.Identity{ID: bob, Mobile: m0, Verified: true, Pending: m1}) // a restored identity
	w.activate(bob, "one")
	w.pass(time.Minute)
	w.chores()
	w.wantIdentity(m0, true, "")
}

func TestLinksDie(t *testing.T) {
	w := newWorld(t)
	w.policy.Notices = claim.Notices{OldNumber: true, Window: time.Hour}
	w.submit(bob, "flow", m1)
	wantErr(t, w.confirm(bob, w.codeText()), nil)
	link := w.lastLink()
	unknown, err := w.codes.Link("22222222222222222222222222222222")
	wantErr(t, err, nil)
	for name, dead := range map[string]string{
		"blank": "", "made up": strings.Repeat("A", len(link)), "cut": link[1:], "of no claim": unknown,
		"changed": strings.Map(func(r rune) rune {
			if r == rune(link[3]) {
				return 'x'
			}
			return r
		}, link),
	} {
		if _, err := w.Disputable(t.Context(), dead); name != "changed" || link[3] != 'x' {
			wantErr(t, err, otp.ErrLinkDead)
		}
	}
	w.pass(time.Hour + aMoment)
	_, err = w.Disputable(t.Context(), link)
	wantErr(t, err, otp.ErrLinkDead)
}

// wantDisputable wants a link to be good and to speak of this.
func (w *world) wantDisputable(link string, want message.TextKind) {
	w.t.Helper()
	if got, err := w.Disputable(w.t.Context(), link); err != nil || got != want {
		w.t.Errorf("the link speaks of %q, %v, want %q", got, err, want)
	}
}

// lastLink is what stands in the notice that went out last.
func (w *world) lastLink() string {
	w.t.Helper()
	link, err := w.codes.Link(w.sent[len(w.sent)-1].Code.ClaimID)
	if err != nil {
		w.t.Fatal(err)
	}
	return link
}

func TestLinksComeBackWithBothFormsOfAnID(t *testing.T) {
	old, err := otp.New([]string{codeSecret}, 6, otp.Numeric)
	wantErr(t, err, nil)
	rotated, err := otp.New([]string{strings.Repeat("n", 32), codeSecret}, 6, otp.Numeric)
	wantErr(t, err, nil)
	for _, id := range []string{"0123456789abcdef0123456789abcdef", "01234567-89ab-cdef-0123-456789abcdef"} {
		link, err := old.Link(id)
		wantErr(t, err, nil)
		if len(link) != otp.LinkLength {
			t.Errorf("%d characters", len(link))
		}
		if got, err := rotated.Linked(link); err != nil || got != id {
			t.Errorf("got %q, %v, want %q", got, err, id)
		}
	}
	_, err = old.Link("nonsense")
	wantErr(t, err, otp.ErrLinkDead)
}

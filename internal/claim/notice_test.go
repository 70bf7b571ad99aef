package claim_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/holdline/holdline/internal/claim"
	"github.com/holdline/holdline/internal/message"
	"github.com/holdline/holdline/internal/otp"
	"github.com/holdline/holdline/internal/phone"
	"github.com/holdline/holdline/internal/problem"
	"github.com/holdline/holdline/internal/storetest"
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

// denied says what a denial came to.
func denied(t *testing.T, d claim.Denial, err error) string {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	said := string(d.Case)
	for name, is := range map[string]bool{" later": d.Later, " again": d.Again, " alarm": d.Alarm != nil} {
		if is {
			said += name
		}
	}
	words := strings.Fields(said)
	slices.Sort(words[1:])
	return strings.Join(words, " ")
}

func (w *world) dispute(link, want string) claim.Denial {
	w.t.Helper()
	got, err := w.Dispute(w.t.Context(), link, "192.0.2.1")
	if said := denied(w.t, got, err); said != want {
		w.t.Errorf("denied %q, want %q", said, want)
	}
	return got
}

func (w *world) wantDisputable(link, want string) {
	w.t.Helper()
	got, err := w.Disputable(w.t.Context(), link)
	if said := denied(w.t, got, err); said != want {
		w.t.Errorf("the link speaks of %q, want %q", said, want)
	}
}

// wantSessionsEnded wants so many calls that ended bob's sessions, and forgets them.
func (w *world) wantSessionsEnded(want int) {
	w.t.Helper()
	if got := w.sessionsEnded; got != want {
		w.t.Errorf("sessions were ended %d times, want %d", got, want)
	}
	w.sessionsEnded = 0
}

func TestALinkDisputesAChangeOnce(t *testing.T) {
	w := newWorld(t)
	w.policy.Notices = claim.Notices{OldNumber: true, Webhook: true, Window: 72 * time.Hour, Block: 24 * time.Hour}
	w.submit(bob, "one", m1)
	wantErr(t, w.confirm(bob, w.codeText()), nil)
	link := w.lastLink()
	w.submit(bob, "two", m2)
	w.pass(71 * time.Hour)
	w.policy.Lifetime = 100 * time.Hour
	w.submit(bob, "three", m0)

	w.wantDisputable(link, "changed later")
	w.wantSessionsEnded(0)
	got := w.dispute(link, "changed alarm later")
	if a := got.Alarm; a.SessionsEndedAt.IsZero() || !a.BlockedUntil.Equal(w.now.Add(24*time.Hour)) || a.CancelledID == "" || a.ClientIP != "192.0.2.1" {
		t.Errorf("the alarm is %+v", got.Alarm)
	}
	w.wantIdentity(m1, true, "")
	w.wantSessionsEnded(1)
	if told := w.told(); told[len(told)-1] != "disputed webhook "+m1 {
		t.Errorf("told %q last", told[len(told)-1])
	}

	// Months of pressing do nothing more: neither while changes are blocked nor when the
	// owner changes the number again.
	before := len(w.told())
	w.dispute(link, "changed alarm later")
	w.pass(25 * time.Hour)
	w.submit(bob, "four", m2)
	w.dispute(link, "changed alarm later")
	w.pass(60 * 24 * time.Hour)
	w.dispute(link, "changed alarm later")
	w.wantSessionsEnded(0)
	if after := len(w.told()); after != before+1 { // the request of flow four
		t.Errorf("told %v", w.told())
	}
	w.wantIdentity(m1, true, m2) // a link that was used cancels nothing more
}

// Sessions that begin while an alarm is raised end too, and so does a claim that is
// opened; what Kratos cannot do now is done later.
func TestADisputeEndsSessionsWhateverHappens(t *testing.T) {
	w := newWorld(t)
	w.policy.Notices = claim.Notices{OldNumber: true, Window: time.Hour, Block: 24 * time.Hour}
	w.submit(bob, "one", m1)
	wantErr(t, w.confirm(bob, w.codeText()), nil)
	w.sessionsFail = claim.ErrIdentitiesUnavailable
	if got := w.dispute(w.lastLink(), "changed alarm"); !got.Alarm.SessionsEndedAt.IsZero() {
		t.Error("sessions are said to have ended")
	}
	for range 3 {
		w.pass(time.Hour)
		wantErr(t, w.RunAlarms(t.Context()), nil)
	}
	w.wantSessionsEnded(4)
	w.sessionsFail = nil
	w.pass(time.Hour)
	wantErr(t, w.RunAlarms(t.Context()), nil)
	w.wantSessionsEnded(1)
	w.pass(6 * time.Second)
	wantErr(t, w.RunAlarms(t.Context()), nil)
	w.wantSessionsEnded(1) // once more, for those that began meanwhile
	w.pass(time.Hour)
	wantErr(t, w.RunAlarms(t.Context()), nil)
	w.wantSessionsEnded(0)
	if kinds := w.kinds("sessions_ended"); kinds != 1 {
		t.Errorf("%d lines of ended sessions", kinds)
	}
}

func TestALinkCancelsTheOpenClaimThatItIsFor(t *testing.T) {
	w := newWorld(t)
	w.policy.Notices = claim.Notices{Webhook: true, Window: time.Hour}
	w.submit(bob, "flow", m1)
	link := w.lastLink()
	w.wantDisputable(link, "pending")
	if got := w.dispute(link, "pending alarm"); !got.Alarm.BlockedUntil.IsZero() {
		t.Error("changes are blocked though that is off")
	}
	wantErr(t, w.confirm(bob, w.codeText()), claim.ErrWrongCode)
	w.wantIdentity(m0, true, "")
	w.wantSessionsEnded(1)
	w.wantDisputable(link, "pending alarm")
	w.dispute(link, "pending alarm")
	w.wantSessionsEnded(0)
}

// What came to nothing by itself is said to, and nothing is done about it.
func TestWhatWasTakenBackIsNoAlarm(t *testing.T) {
	for name, end := range map[string]func(*world){
		"by its owner": func(w *world) { wantErr(w.t, w.Cancel(w.t.Context(), w.caller(bob)), nil) },
		"by time":      func(w *world) { w.pass(25 * time.Hour); w.chores() },
		"by guessing": func(w *world) {
			wrong := "000000"
			if w.codeText() == wrong {
				wrong = "000001"
			}
			for range 5 {
				wantErr(w.t, w.confirm(bob, wrong), claim.ErrWrongCode)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.policy.Notices = claim.Notices{Webhook: true, Window: time.Hour, Block: time.Hour}
			w.submit(bob, "flow", m1)
			link := w.lastLink()
			end(w)
			w.wantDisputable(link, "taken_back")
			w.dispute(link, "taken_back")
			w.wantSessionsEnded(0)
			w.pass(time.Hour)
			w.submit(bob, "anew", m2)
		})
	}
}

// Who had the number before an account's owner got it can pause changes once, and no
// more: of later changes the owner's own number is told.
func TestARecycledNumberPausesChangesOnce(t *testing.T) {
	w := newWorld(t)
	w.policy.Notices = claim.Notices{OldNumber: true, Window: 72 * time.Hour, Block: 24 * time.Hour}
	w.submit(bob, "one", m1) // m0 is a stranger's by now
	wantErr(t, w.confirm(bob, w.codeText()), nil)
	strangers := w.lastLink()
	w.dispute(strangers, "changed alarm")
	_, err := w.stage(bob, "two", m2)
	wantErr(t, err, claim.ErrChangesBlocked)
	w.wantIdentity(m1, true, "")

	second := w.caller(bob)
	wantErr(t, w.LiftBlock(t.Context(), second), claim.ErrNeedsSecondFactor)
	second.Assurance = claim.AAL2
	second.AuthenticatedAt = w.now.Add(-time.Hour)
	wantErr(t, w.LiftBlock(t.Context(), second), claim.ErrSessionTooOld)
	second.AuthenticatedAt = w.now
	wantErr(t, w.LiftBlock(t.Context(), second), nil)
	wantErr(t, w.LiftBlock(t.Context(), second), nil)
	if kinds := w.kinds("block_lifted"); kinds != 1 {
		t.Errorf("%d lines of lifting", kinds)
	}
	w.submit(bob, "three", m2)
	wantErr(t, w.confirm(bob, w.codeText()), nil)
	if told := w.told(); told[len(told)-1] != "changed sms "+m1 {
		t.Errorf("told %v", told)
	}
	w.dispute(strangers, "changed alarm")
	w.submit(bob, "four", m1)
}

// While changes are blocked, forms and people are refused, also by a resend, and
// say until when; other attributes pass, and what is taken back is.
func TestADisputeBlocksChanges(t *testing.T) {
	w := newWorld(t)
	w.policy.Notices = claim.Notices{OldNumber: true, Window: 72 * time.Hour, Block: 24 * time.Hour}
	w.submit(bob, "one", m1)
	wantErr(t, w.confirm(bob, w.codeText()), nil)
	late, err := w.stage(bob, "late", m2) // stored only after the alarm
	wantErr(t, err, nil)
	w.dispute(w.lastLink(), "changed alarm")

	for _, wanted := range []string{m2, ""} {
		_, err := w.stage(bob, "flow"+wanted, wanted)
		limit := (*problem.LimitError)(nil)
		if !errors.As(err, &limit) || !errors.Is(err, claim.ErrChangesBlocked) || !limit.Until.Equal(w.now.Add(24*time.Hour)) {
			t.Errorf("a form that wants %q: %v", wanted, err)
		}
	}
	if answer, err := w.stage(bob, "name", m1); err != nil || answer.Decision != claim.NoChange {
		t.Errorf("a form that leaves the number alone: %+v, %v", answer, err)
	}
	w.persist(bob, m2, late)
	w.activate(bob, "late")
	wantErr(t, w.Resend(t.Context(), w.caller(bob)), claim.ErrNothingPending) // it was discarded
	wantErr(t, w.confirm(bob, w.codeText()), claim.ErrWrongCode)
	w.pass(24 * time.Hour)
	w.submit(bob, "two", m2)
	wantErr(t, w.confirm(bob, w.codeText()), nil)
	w.wantIdentity(m2, true, "")
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
	w.dispute(link, "changed alarm later")
	w.wantIdentity(m1, true, "")
}

// Whoever asks for another number at once does not shake the first link off.
func TestTheLinkOfASupersededClaimSpeaksOfItsSuccessor(t *testing.T) {
	for name, tt := range map[string]struct {
		confirm bool
		want    string
	}{"still open": {false, "pending alarm"}, "applied": {true, "changed alarm"}} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.policy.Notices = claim.Notices{Webhook: true, Window: time.Hour}
			w.submit(bob, "one", m1)
			link := w.lastLink()
			w.submit(bob, "two", m2)
			if tt.confirm {
				wantErr(t, w.confirm(bob, w.codeText()), nil)
			}
			w.dispute(link, tt.want)
		})
	}
}

// The link of a wish that another one replaced is no key to all later wishes: its number
// may be somebody else's by then.
func TestTheLinkOfASupersededClaimDies(t *testing.T) {
	w := newWorld(t)
	w.policy.Notices = claim.Notices{Webhook: true, Window: time.Hour, Block: 24 * time.Hour}
	w.submit(bob, "one", m1)
	link := w.lastLink()
	w.submit(bob, "two", m2)
	wantErr(t, w.confirm(bob, w.codeText()), nil)
	w.pass(time.Hour + aMoment)
	w.submit(bob, "three", m1)
	_, err := w.Disputable(t.Context(), link)
	wantErr(t, err, claim.ErrLinkLate)
	_, err = w.Dispute(t.Context(), link, "")
	wantErr(t, err, claim.ErrLinkLate)
	wantErr(t, w.confirm(bob, w.codeText()), nil)
}

// Whoever holds an old phone cannot deny one wish after the other, whatever became of
// the first alarm.
func TestTheLinkOfASupersededClaimDeniesOnce(t *testing.T) {
	for name, block := range map[string]time.Duration{"changes are blocked": 24 * time.Hour, "no block": 0} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.policy.Notices = claim.Notices{Webhook: true, Window: 72 * time.Hour, Block: block}
			w.submit(bob, "one", m1)
			link := w.lastLink()
			w.submit(bob, "two", m2)
			w.dispute(link, "pending alarm")
			owner := w.caller(bob)
			owner.Assurance = claim.AAL2
			wantErr(t, w.LiftBlock(t.Context(), owner), nil)
			w.wantSessionsEnded(1)

			w.pass(time.Hour)
			w.submit(bob, "three", m1)
			w.dispute(link, "pending alarm")
			w.wantIdentity(m0, true, m1)
			wantErr(t, w.confirm(bob, w.codeText()), nil)
			w.dispute(link, "pending alarm")
			w.wantIdentity(m1, true, "")
			w.wantSessionsEnded(0)
		})
	}
}

// A link of a change after which the number was changed once more says so.
func TestALinkOfAnEarlierChangeSaysThatItWasChangedAgain(t *testing.T) {
	w := newWorld(t)
	w.policy.Notices = claim.Notices{OldNumber: true, Window: time.Hour}
	w.submit(bob, "one", m1)
	wantErr(t, w.confirm(bob, w.codeText()), nil)
	link := w.lastLink()
	w.submit(bob, "two", m2)
	wantErr(t, w.confirm(bob, w.codeText()), nil)
	w.wantDisputable(link, "changed again")
	w.dispute(link, "changed again alarm")
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
	w.dispute(link, "changed alarm")
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

// kinds counts the lines of the audit trail of a kind.
func (w *world) kinds(kind string) int {
	store, _ := w.store.(*storetest.Store)
	n := 0
	for _, e := range store.Events() {
		if e.Kind == kind {
			n++
		}
	}
	return n
}

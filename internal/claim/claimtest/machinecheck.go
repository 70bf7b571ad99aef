package claimtest

import (
	"errors"
	"slices"
	"strings"
	"time"

	"pgregory.net/rapid"

	"github.com/holdline/holdline/internal/admin"
	"github.com/holdline/holdline/internal/claim"
	"github.com/holdline/holdline/internal/message"
	"github.com/holdline/holdline/internal/phone"
)

// everything is more than a run makes.
const everything = 999

// rows are what the store keeps, oldest first.
func (m *machine) rows() []claim.Claim {
	claims, err := m.store.FindClaims(m.ctx, admin.ClaimQuery{Limit: everything})
	if err != nil {
		m.fail("claims: %v", err)
	}
	slices.Reverse(claims)
	return claims
}

// of returns a person's claims, oldest first.
func (m *machine) of(id string) []claim.Claim {
	return slices.DeleteFunc(m.rows(), func(c claim.Claim) bool { return c.IdentityID != id })
}

// open returns a person's open claim; nil for none.
func (m *machine) open(id string) *claim.Claim {
	for _, c := range m.of(id) {
		if c.State == claim.Open {
			return &c
		}
	}
	return nil
}

// mayBeSent looks at a text on its way.
func (m *machine) mayBeSent(text message.Text) {
	c, err := m.store.Find(m.ctx, text.Code.ClaimID)
	switch {
	case err != nil || c == nil:
		m.fail("a text without a claim: %v", err)
	case !m.asked[text.IdentityID][text.To.Unmasked()]:
		m.fail("a text to a number that %s did not ask for: %s", text.IdentityID, text.To.Unmasked())
	case c.State != claim.Open || c.Code() != text.Code || !c.Number.Same(text.To):
		m.fail("a text with a dead code: %+v for %+v", text, *c)
	}
}

// overwritten returns the claim that was applied last, if what it replaced is in its
// place again so soon that a form may have put it there: whoever did, it is restored.
func (m *machine) overwritten(i claim.Identity) *claim.Claim {
	last, err := m.store.Applied(m.ctx, i.ID)
	if err != nil {
		m.fail("applied: %v", err)
	}
	if last.Overwritten(claim.Basis{Stored: phone.FromStore(i.Mobile), Since: m.now.Add(-5 * time.Minute)}) {
		return last
	}
	return nil
}

// directlyRestored looks at a number that was just written, or removed, once more.
func (m *machine) directlyRestored(before claim.Identity, number phone.Number) {
	if c := m.overwritten(before); c == nil || !c.Direct || !c.Number.Same(number) {
		m.fail("%s got %s, and nobody wrote it before", before.ID, number.Unmasked())
	}
	before.Mobile, before.Verified = number.Unmasked(), false
	m.written(before)
}

// adopted looks at a number that was just written as verified.
func (m *machine) adopted(before claim.Identity, number phone.Number) {
	was := phone.FromStore(before.Mobile)
	claims := m.of(before.ID)
	last := m.overwritten(before)
	if last != nil && !last.Direct && last.Number.Same(number) && m.owed(*last) {
		before.Mobile, before.Verified = number.Unmasked(), true
		m.written(before)
		return
	}
	i := slices.IndexFunc(claims, func(c claim.Claim) bool {
		return c.State == claim.Verified && c.Number.Same(number) && m.owed(c)
	})
	if i < 0 {
		m.fail("%s got %s without a right code", before.ID, number.Unmasked())
		return
	}
	c := claims[i]
	own := slices.ContainsFunc(claims, func(other claim.Claim) bool {
		return other.State == claim.Applied && other.Number.Same(was) && !other.EndedAt.Before(c.CreatedAt)
	})
	if !was.Same(c.Previous) && !was.Same(number) && !own && last == nil && !m.interfered[before.ID] {
		m.fail("%s's number was changed elsewhere to %s and is overwritten", before.ID, before.Mobile)
	}
	before.Mobile, before.Verified = number.Unmasked(), true
	m.written(before)
}

// mustBeTaken reports whether a code cannot be refused: it is the newest of an open
// claim, in time, nothing else is under way and nobody has tried yet.
func (m *machine) mustBeTaken(id, code string) bool {
	quiet := !m.faults.armed && m.faults.meanwhile == nil
	tries := 0
	var held *claim.Claim
	for _, c := range m.of(id) {
		tries += c.Attempts
		if c.State == claim.Open {
			held = &c
		}
		quiet = quiet && c.State != claim.Staged
	}
	return quiet && held != nil && tries < m.policy.MaxAttempts &&
		m.now.Before(held.CodeExpires) && m.now.Before(held.LapsesAt) && m.code(held.Code()) == code
}

// confirmed looks at the answer to a code.
func (m *machine) confirmed(id, code string, good bool, err error) {
	ended := errors.Is(err, claim.ErrNumberTaken) || errors.Is(err, claim.ErrChangedElsewhere)
	if good && err != nil && !ended {
		m.fail("%s's right code is refused: %v", id, err)
	}
	right := slices.ContainsFunc(m.phone[id], func(t message.Text) bool { return m.code(t.Code) == code })
	if err == nil && !right {
		m.fail("%s's code %s is taken, and never came to their phone", id, code)
	}
}

// check wants of what can be seen that it is allowed.
func (m *machine) check(t *rapid.T) {
	claims := m.rows()
	trail := m.trails()
	for _, id := range people {
		own := slices.DeleteFunc(slices.Clone(claims), func(c claim.Claim) bool { return c.IdentityID != id })
		m.checkIdentity(id, own)
	}
	for _, c := range claims {
		m.checkTrail(c, trail[c.ID])
		if c.State == claim.Open && m.guessed[c.ID] > m.policy.MaxAttempts {
			m.fail("%d wrong codes, and still open: %+v", m.guessed[c.ID], c)
		}
		if c.Attempts > m.policy.MaxAttempts || c.Texts > m.policy.MaxTexts {
			m.fail("too many tries or texts: %+v", c)
		}
		if accepted := slices.Contains(trail[c.ID], string(claim.Verified)); accepted && !m.owed(c) {
			m.fail("accepted without a right code: %+v", c)
		}
	}
	m.checkTexts()
	if m.failure != "" {
		t.Fatalf("%s\n%s", m.failure, strings.Join(m.log, "\n"))
	}
}

func (m *machine) checkIdentity(id string, own []claim.Claim) {
	i, held, tries, errand := m.identity(id), 0, 0, 0
	for _, c := range own {
		if c.State.Active() {
			held++
		}
		if c.CreatedAt.After(m.now.Add(-24 * time.Hour)) {
			tries += c.Attempts
		}
		same := c.Number.Same(phone.FromStore(i.Pending))
		if same && !c.State.Final() || c.State == claim.Verified || c.PendingSync != claim.SyncDone && c.PendingSync != claim.SyncShownBefore {
			errand++
		}
	}
	stored := m.stored[id]
	switch {
	case held > 1:
		m.fail("%s holds %d claims", id, held)
	case tries > m.policy.DayAttempts:
		m.fail("%s had %d tries in a day", id, tries)
	case i.Mobile != stored.Mobile || i.Verified != stored.Verified:
		m.fail("%s is %+v, and should be %+v", id, i, stored)
	case i.Pending != "" && errand == 0 && m.stale[id] != i.Pending:
		m.fail("%s shows %s as pending, and nobody will ever remove it", id, i.Pending)
	}
}

// trails returns the steps that the audit trail has of each claim, oldest first.
func (m *machine) trails() map[string][]string {
	lines, err := m.store.FindEvents(m.ctx, admin.EventQuery{Limit: everything})
	if err != nil {
		m.fail("events: %v", err)
	}
	trails := map[string][]string{}
	for _, line := range slices.Backward(lines) {
		if line.ClaimID != "" && line.Kind != claim.WrongCode { // which moves nothing
			trails[line.ClaimID] = append(trails[line.ClaimID], line.Kind)
		}
	}
	return trails
}

// steps are the arrows of the state diagram in the package comment of claim. A
// resent text is a step from open to open; a right code that was counted in time
// unlocks; and what a form overwrote is written once more.
var steps = map[claim.State]string{
	claim.Staged:   "open discarded orphaned number_written number_removed",
	claim.Open:     "resent verified superseded cancelled locked lapsed orphaned",
	claim.Verified: "applied conflict orphaned",
	claim.Locked:   "verified",
	claim.Applied:  claim.NumberRestored + " conflict",
	// A form may take longer than Holdline waits for it.
	claim.Discarded: "number_written number_removed",
}

// checkTrail walks a claim's audit lines through the diagram, to its state.
func (m *machine) checkTrail(c claim.Claim, trail []string) {
	at := claim.Staged
	for _, kind := range trail {
		if !slices.Contains(strings.Fields(steps[at]), kind) {
			m.fail("%s came after %s: %v of %+v", kind, at, trail, c)
		}
		switch direct := kind == claim.NumberWritten || kind == claim.NumberRemoved; {
		case direct != c.Direct && (direct || kind == string(claim.Applied)):
			m.fail("%s of %+v", kind, c)
		case direct:
			at = claim.Applied
		case kind != "resent" && kind != claim.NumberRestored:
			at = claim.State(kind)
		}
	}
	if at != c.State {
		m.fail("the trail %v leads to %s: %+v", trail, at, c)
	}
	if c.State == claim.Applied && !c.Direct && !m.had[c.IdentityID][c.Number.Unmasked()] {
		m.fail("applied and never written: %+v", c)
	}
}

// checkTexts holds the texts to the limits.
func (m *machine) checkTexts() {
	texts, err := m.store.FindTexts(m.ctx, admin.TextQuery{Limit: everything})
	if err != nil {
		m.fail("texts: %v", err)
	}
	texts = slices.DeleteFunc(texts, func(t admin.TextRecord) bool { return t.Kind != message.TextCode })
	for _, t := range texts {
		byPerson, byNumber, own := 0, 0, 0
		for _, other := range texts {
			if other.CreatedAt.After(t.CreatedAt) || !other.CreatedAt.After(t.CreatedAt.Add(-24*time.Hour)) {
				continue
			}
			if other.IdentityID == t.IdentityID {
				byPerson++
			}
			if other.To.Same(t.To) {
				byNumber++
				if other.IdentityID == t.IdentityID {
					own++
				}
			}
		}
		limits := m.policy.Texts
		full := byNumber > limits.PerNumberDay && (own > claim.OwnTextsPerNumberDay || byNumber > limits.PerNumberDayInAll())
		if byPerson > limits.PerIdentityDay || full {
			m.fail("%d texts to one person, %d to one number in a day", byPerson, byNumber)
		}
	}
}

// ended wants everything to have come to an end.
func (m *machine) ended(t *rapid.T) {
	for _, c := range m.rows() {
		if !c.State.Final() || c.PendingSync == claim.SyncClear {
			m.fail("still not ended: %+v", c)
		}
	}
	for _, id := range people {
		if i := m.identity(id); i.Pending != "" && m.stale[id] != i.Pending {
			m.fail("still pending: %+v", i)
		}
	}
	for id, numbers := range m.lost {
		for number := range numbers {
			told := slices.ContainsFunc(m.of(id), func(c claim.Claim) bool {
				return c.State == claim.Applied && c.PreviousVerified && c.Previous.Same(phone.FromStore(number))
			})
			if !told {
				m.fail("%s lost the verified %s, and nobody is told", id, number)
			}
		}
	}
	if waiting, err := m.store.Waiting(m.ctx); err != nil || waiting != (admin.Waiting{}) {
		m.fail("still waiting: %+v, %v", waiting, err)
	}
	m.check(t)
}

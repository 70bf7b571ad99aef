package claimtest

import (
	"github.com/holdline/holdline/internal/audit"
	"github.com/holdline/holdline/internal/claim"
	"github.com/holdline/holdline/internal/message"
	"github.com/holdline/holdline/internal/otp"
	"github.com/holdline/holdline/internal/phone"
)

// people and numbers are few, so that they meet.
var (
	people  = []string{"ann", "bob", "cem"}
	numbers = []string{"+491710000000", "+491711111111", "+491722222222", "+491733333333"}
)

// model is all that is known of the people, without knowing how claims work: what
// number each has, which they asked for, and which codes they typed rightly.
type model struct {
	stored  map[string]claim.Identity    // as others wrote it, or a right code
	asked   map[string]map[string]bool   // numbers that somebody wanted a code for
	phone   map[string][]message.Text    // texts with codes, as they arrived
	typed   map[otp.CodeRef]phone.Number // codes typed while they were good, and where they had arrived
	guessed map[string]int               // wrong codes, by claim
	had     map[string]map[string]bool   // verified numbers that each had at some time
	lost    map[string]map[string]bool   // verified numbers that each lost without a code
	// stale are markers that a form, which was stored late, put back for a claim that
	// had ended, and Holdline was not told of it: nobody can know.
	stale map[string]string
	// interfered marks people whose identity others than Holdline wrote during the
	// present command: between Holdline's read and its write nobody can see that.
	interfered map[string]bool
}

func newModel(identities []claim.Identity) model {
	m := model{
		stored: map[string]claim.Identity{}, asked: map[string]map[string]bool{}, phone: map[string][]message.Text{},
		typed: map[otp.CodeRef]phone.Number{}, had: map[string]map[string]bool{}, lost: map[string]map[string]bool{}, guessed: map[string]int{},
		stale: map[string]string{}, interfered: map[string]bool{},
	}
	for _, i := range identities {
		m.asked[i.ID], m.had[i.ID] = map[string]bool{}, map[string]bool{}
		m.written(i)
	}
	return m
}

// written says that a number was written by what needs no code: the rules D2,
// D3, D6 and D7, or somebody else.
func (m model) written(i claim.Identity) {
	m.stored[i.ID] = i
	delete(m.lost[i.ID], i.Mobile) // it is back; that it was away nobody can know
	if i.Verified {
		m.had[i.ID][i.Mobile] = true
	}
}

// needsNoCode are the rules D2, D3, D6 and D7 in one line: what may be written
// at once. The change of a form has no asking and nobody privileged.
func needsNoCode(p claim.Policy, c claim.DirectChange) bool {
	privileged := c.Who.Kind == audit.Privileged && !p.VerifyPrivileged
	unasked := c.Source == claim.SourceSCIM && !c.Asked && !p.VerifyAlways
	return !p.Enabled || c.Wanted == "" || privileged || unasked
}

// owed reports whether a right code gives a claim its number.
func (m model) owed(c claim.Claim) bool {
	to, typed := m.typed[c.Code()]
	return typed && to.Same(c.Number)
}

package claimtest

import (
	"context"
	"slices"
	"time"

	"pgregory.net/rapid"

	"github.com/holdline/holdline/internal/audit"
	"github.com/holdline/holdline/internal/claim"
	"github.com/holdline/holdline/internal/phone"
)

// form is a settings flow that has been staged, with the identity as Kratos read
// it before: that is what it stores, whatever was written meanwhile.
type form struct {
	flow, wanted string
	read         claim.Identity
	answer       claim.Answer
	began        time.Time
}

// longestForm is how long Kratos takes for a form at most. Of one that took longer, and
// whose activation is lost, nobody can know.
const longestForm = 93 * time.Second

// drawForm saves a form, which Kratos may refuse in the end or store later, and
// whose activation may be lost.
func (m *machine) drawForm(t *rapid.T, wanted string) func() {
	id := drawPerson(t)
	fate := rapid.SampledFrom([]string{"stored", "stored", "stored", "lost", "refused", "slow"}).Draw(t, "fate")
	return func() {
		if m.away { // and the form with it
			return
		}
		m.ids++
		f := form{flow: m.service.NewID(), wanted: wanted, read: m.identity(id), began: m.now}
		if m.dir.Identifier && f.read.Mobile == "" {
			m.asked[id][wanted] = true // by a form that is interrupted
		}
		before := m.policy
		var err error
		f.answer, err = m.service.Stage(m.ctx, claim.SettingsChange{
			IdentityID: id, FlowID: f.flow, Stored: f.read.Mobile, StoredVerified: f.read.Verified,
			Wanted: wanted, ShownPending: f.read.Pending, SignedIn: m.now, ClientIP: "192.0.2.1",
		})
		if writes(f.answer.Decision) && wanted != f.read.Mobile {
			m.mayWrite(before, claim.DirectChange{Source: claim.SourceSettings, Wanted: wanted})
		}
		switch {
		case err != nil, f.answer.Interrupt, fate == "refused", m.faults.dead:
		case fate == "slow":
			m.slow[id] = f
		default:
			m.storeForm(f, fate != "lost")
		}
	}
}

// known reports whether anybody can know that the number which a form ends is marked
// verified: the form has read it so, or it was Holdline that wrote it. A mark that
// somebody else's write took away, and that a slower form put back since, is known to
// Kratos alone.
func (m *machine) known(before, read claim.Identity) bool {
	number := phone.FromStore(before.Mobile)
	if read.Verified && phone.FromStore(read.Mobile).Same(number) {
		return true
	}
	return slices.ContainsFunc(m.of(before.ID), func(c claim.Claim) bool {
		return c.State == claim.Applied && c.Number.Same(number)
	})
}

// loses keeps in mind that a person's verified number ended without a code, by a
// write that Holdline knew of beforehand.
func (m *machine) loses(before claim.Identity, now string) {
	if before.Verified && before.Mobile != "" && !phone.FromStore(before.Mobile).Same(phone.FromStore(now)) {
		if m.lost[before.ID] == nil {
			m.lost[before.ID] = map[string]bool{}
		}
		m.lost[before.ID][before.Mobile] = true
	}
}

func writes(r claim.Decision) bool {
	return r == claim.WriteDirectly || r == claim.Remove || r == claim.WriteUnverified
}

// mayWrite looks at a number that is to be written without a code. The switches
// may have moved while that was decided.
func (m *machine) mayWrite(before claim.Policy, c claim.DirectChange) {
	if !needsNoCode(before, c) && !needsNoCode(m.policy, c) {
		m.fail("%q is written without a code, by %s", c.Wanted, c.Source)
	}
}

// kratosStores ends a form that took its time.
func (m *machine) kratosStores(id string) {
	if f, waits := m.slow[id]; waits && !m.away {
		delete(m.slow, id)
		m.storeForm(f, true)
	}
}

func (m *machine) storeForm(f form, activate bool) {
	i := f.read
	i.Pending = f.answer.Pending.Unmasked()
	if writes(f.answer.Decision) {
		i.Mobile, i.Verified = f.wanted, false
	}
	if f.answer.Decision == claim.Challenge {
		m.asked[i.ID][f.wanted] = true
	}
	before := m.identity(i.ID)
	if !m.put(i) {
		return
	}
	if writes(f.answer.Decision) && m.now.Sub(f.began) <= longestForm && m.known(before, f.read) {
		m.loses(before, f.wanted)
	}
	living := m.lives(i.ID, i.Pending)
	if activate && f.answer.Decision != claim.NoChange {
		activate = m.service.Activate(m.ctx, claim.StoredFlow{
			IdentityID: i.ID, FlowID: f.flow, Mobile: i.Mobile, ShownPending: i.Pending, ClientIP: "192.0.2.1",
		}) == nil
	} else {
		activate = false
	}
	if !living && !activate {
		m.stale[i.ID] = i.Pending
	}
}

// lives reports whether there is a claim that a marker can belong to.
func (m *machine) lives(id, pending string) bool {
	return slices.ContainsFunc(m.of(id), func(c claim.Claim) bool {
		return !c.State.Final() && c.PendingSync != claim.SyncShownBefore && c.Number.Same(phone.FromStore(pending))
	})
}

// drawSCIM changes a number as the SCIM bridge does.
func (m *machine) drawSCIM(t *rapid.T, wanted string) func() {
	id := drawPerson(t)
	change := claim.DirectChange{Source: claim.SourceSCIM, Update: claim.UpdateExplicit, Wanted: wanted}
	change.Asked = rapid.Bool().Draw(t, "verifyMobile")
	change.Who = audit.Actor{Kind: audit.Owner, ID: id}
	switch change.Client = rapid.Bool().Draw(t, "client"); {
	case rapid.Bool().Draw(t, "privileged"):
		change.Who = audit.Actor{Kind: audit.Privileged, ID: "client"}
	case change.Client:
		change.Who = audit.Actor{Kind: audit.Client, ID: "client"}
	}
	if change.Client {
		change.LeaveOut = rapid.SampledFrom([]claim.LeaveOut{claim.LeaveOutNone, claim.LeaveOutAny}).Draw(t, "left out")
	}
	if !change.Asked && rapid.Bool().Draw(t, "put") {
		change.Update = claim.UpdateFull
	}
	refused := rapid.IntRange(0, 4).Draw(t, "refused") == 0
	return func() {
		change.SignedIn = &claim.SignIn{At: m.now}
		ctx, cancel := context.WithCancel(m.ctx)
		defer cancel()
		m.leased = cancel
		_ = m.service.WithLease(ctx, id, func(ctx context.Context) error {
			return m.scim(ctx, id, change, refused)
		})
		m.leased = func() {}
	}
}

func (m *machine) scim(ctx context.Context, id string, change claim.DirectChange, refused bool) error {
	seen, err := m.service.Identities.Identity(ctx, id)
	if err != nil {
		return err
	}
	before := m.policy
	p, err := m.service.Propose(ctx, seen, change)
	if err != nil {
		return err
	}
	if !p.HoldsBack() && !p.Number.Same(phone.FromStore(seen.Mobile)) {
		m.mayWrite(before, change)
	}
	err = machineDirectory{m}.change(func() error {
		if refused {
			return claim.ErrNumberRefused
		}
		i := m.identity(id)
		i.Pending = p.Pending.Unmasked()
		if !p.HoldsBack() {
			i.Verified = i.Verified && p.Number.Same(phone.FromStore(i.Mobile))
			i.Mobile = p.Number.Unmasked()
		}
		if p.Decision == claim.Challenge {
			m.asked[id][p.Pending.Unmasked()] = true
		}
		if m.taken(id, i.Mobile) {
			return claim.ErrNumberTaken
		}
		m.loses(seen, i.Mobile)
		m.dir.Put(i)
		m.written(i)
		return nil
	})
	return m.service.Settle(ctx, p, err)
}

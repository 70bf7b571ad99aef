package claimtest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/holdline/holdline/internal/audit"
	"github.com/holdline/holdline/internal/claim"
	"github.com/holdline/holdline/internal/message"
)

// doing is something that somebody does.
type doing struct {
	name string
	do   func(*order, context.Context, *doer)
	// first: the person has no number before.
	first bool
}

// wish is a change that somebody was told is made, or is under way.
type wish struct {
	kind         wishKind
	number       string // blank for a removal
	flow         string // of a form
	unheard      bool   // no call said that the form was stored
	began, ended time.Time
	// living are the claims that were under way when a taking back began.
	living []string
}

type wishKind string

const (
	confirmed wishKind = "confirmed" // a right code was accepted
	written   wishKind = "written"   // by what needs no code
	elsewhere wishKind = "elsewhere" // past Holdline
	asked     wishKind = "asked"     // held back, to be confirmed
	takenBack wishKind = "taken back"
	saved     wishKind = "saved" // a form that leaves the number alone
)

// delivery says how often Kratos' calls arrive.
type delivery struct{ stage, activate int }

var once = delivery{1, 1}

// doings are all that can be done while the claim to the wanted number is open.
func doings() []doing {
	form := func(name string, how delivery) doing {
		return doing{name: name, do: func(o *order, ctx context.Context, d *doer) { o.form(ctx, d.service, d.number, how) }}
	}
	return []doing{
		form("form", once),
		form("form, activation lost", delivery{1, 0}),
		form("form, delivered twice", delivery{2, 2}),
		{name: "form with the wanted number", do: func(o *order, ctx context.Context, d *doer) { o.form(ctx, d.service, wanted, once) }},
		{name: "form that removes", do: func(o *order, ctx context.Context, d *doer) { o.form(ctx, d.service, "", once) }},
		{name: "form with another name", do: (*order).nameOnly},
		{name: "code", do: (*order).code},
		{name: "resend", do: func(o *order, ctx context.Context, d *doer) { _ = d.service.Resend(ctx, o.owner()) }},
		{name: "cancel", do: func(o *order, ctx context.Context, d *doer) { o.cancel(ctx, d, o.owner()) }},
		{name: "administrator cancels", do: (*order).administratorCancels},
		{name: "SCIM takes back", do: func(o *order, ctx context.Context, d *doer) {
			o.scim(ctx, d, claim.DirectChange{Update: claim.UpdateExplicit, Wanted: firstOne, Who: audit.Actor{Kind: audit.Owner, ID: someone}})
		}},
		{name: "SCIM removes", do: func(o *order, ctx context.Context, d *doer) {
			o.scim(ctx, d, claim.DirectChange{Update: claim.UpdateFull, Who: audit.Actor{Kind: audit.Owner, ID: someone}})
		}},
		{name: "SCIM asks", do: func(o *order, ctx context.Context, d *doer) {
			o.scim(ctx, d, claim.DirectChange{Update: claim.UpdateExplicit, Wanted: d.number, Asked: true, Who: audit.Actor{Kind: audit.Owner, ID: someone}})
		}},
		{name: "SCIM writes", do: func(o *order, ctx context.Context, d *doer) {
			o.scim(ctx, d, claim.DirectChange{Update: claim.UpdateExplicit, Wanted: d.number, Who: audit.Actor{Kind: audit.Privileged, ID: "client"}})
		}},
		{name: "set elsewhere", do: (*order).setElsewhere},
		{name: "worker", do: (*order).work},
	}
}

func (o *order) owner() claim.Caller {
	return claim.Caller{IdentityID: someone, AuthenticatedAt: time.Now()} //nolint:forbidigo // of the bubble
}

// wished notes a change that was said to be made.
func (o *order) wished(w wish, began time.Time) {
	w.began, w.ended = began, time.Now() //nolint:forbidigo // of the bubble
	o.wishes = append(o.wishes, w)
}

// form saves a form with a number. Kratos reads the identity first, and stores the
// whole of it last.
func (o *order) form(ctx context.Context, service *claim.Service, number string, how delivery) {
	began := time.Now() //nolint:forbidigo // of the bubble
	d, _ := ctx.Value(doerKey{}).(*doer)
	read := o.kratos.read(ctx)
	flow := fmt.Sprintf("flow %d", o.ids.Add(1))
	var answer claim.Answer
	var err error
	arrived := 0
	for tries := 0; tries < 3 && arrived < how.stage; tries++ {
		answer, err = service.Stage(ctx, claim.SettingsChange{
			IdentityID: someone, FlowID: flow, Stored: read.Mobile, StoredVerified: read.Verified, Wanted: number, ShownPending: read.Pending,
			SignedIn: time.Now(), //nolint:forbidigo // of the bubble
		})
		if revived(d) {
			continue // Kratos knows nothing of an answer, and asks another replica
		}
		arrived++
		if err != nil {
			o.say(d, "refused: %v", err)
			return
		}
	}
	if arrived < how.stage {
		return
	}
	stored := read
	stored.Pending = answer.Pending.Unmasked()
	if writes(answer.Decision) {
		stored.Mobile, stored.Verified = number, false
	}
	o.kratos.store(ctx, "form stores "+stored.Mobile+" pending "+stored.Pending, stored)
	switch answer.Decision {
	case claim.WriteDirectly, claim.Remove, claim.WriteUnverified:
		o.wished(wish{kind: written, number: stored.Mobile, flow: flow}, began)
	case claim.Challenge:
		o.wished(wish{kind: asked, number: number, flow: flow}, began)
	case claim.NoChange, claim.CancelPending, claim.KeepPending, claim.RejectRemoval:
		o.wished(wish{kind: saved}, began)
		if answer.Decision != claim.KeepPending {
			return
		}
	}
	wished := len(o.wishes) - 1
	o.wishes[wished].unheard = true
	for range how.activate {
		err = service.Activate(ctx, claim.StoredFlow{IdentityID: someone, FlowID: flow, Mobile: stored.Mobile, ShownPending: stored.Pending})
		o.say(d, "activated: %v", err)
		if !revived(d) {
			o.wishes[wished].unheard = false
		}
	}
}

// revived reports whether a process died; Kratos meets another one next time.
func revived(d *doer) bool {
	if d == nil || !d.dead {
		return false
	}
	d.dead = false
	return true
}

// nameOnly saves a form that never reaches Holdline.
func (o *order) nameOnly(ctx context.Context, _ *doer) {
	began := time.Now() //nolint:forbidigo // of the bubble
	read := o.kratos.read(ctx)
	o.kratos.store(ctx, "form stores "+read.Mobile+" pending "+read.Pending, read)
	o.wished(wish{kind: saved}, began)
}

// setElsewhere is an administrator's PATCH of Kratos.
func (o *order) setElsewhere(ctx context.Context, d *doer) {
	d.dies = 0
	began := time.Now() //nolint:forbidigo // of the bubble
	_, _ = o.kratos.patch(ctx, "sets "+setOne, func(i *claim.Identity) error { i.Mobile, i.Verified = setOne, false; return nil })
	o.wished(wish{kind: elsewhere, number: setOne}, began)
}

// code types the last code that came to the wanted number.
func (o *order) code(ctx context.Context, d *doer) {
	began := time.Now() //nolint:forbidigo // of the bubble
	who := o.owner()
	seen, err := o.kratos.Identity(ctx, someone) // whoami
	if err != nil {
		return
	}
	who.Seen = &seen
	i := slices.IndexFunc(o.phone, func(t message.Text) bool { return t.To.Unmasked() == wanted })
	code, err := o.codes.Code(o.phone[i].Code)
	if err != nil {
		o.fail("derive code: %v", err)
	}
	err = d.service.Confirm(ctx, who, code)
	o.say(d, "answered: %v", err)
	if err == nil || d.dead {
		o.wished(wish{kind: confirmed, number: wanted, unheard: d.dead}, began)
	}
}

// cancel takes a claim back.
func (o *order) cancel(ctx context.Context, d *doer, who claim.Caller) {
	began, living := time.Now(), o.living(ctx) //nolint:forbidigo // of the bubble
	err := d.service.Cancel(ctx, who)
	o.say(d, "answered: %v", err)
	if err == nil {
		o.wished(wish{kind: takenBack, living: living}, began)
	}
}

// administratorCancels cancels the open claim at the console.
func (o *order) administratorCancels(ctx context.Context, d *doer) {
	snapshot, err := d.service.Store.Current(ctx, someone, time.Now().Add(-time.Hour)) //nolint:forbidigo // of the bubble
	if err != nil || snapshot.Active == nil {
		return
	}
	who := o.owner()
	who.By, who.ClaimID = audit.Actor{Kind: audit.Administrator, ID: "admin"}, snapshot.Active.ID
	o.cancel(ctx, d, who)
}

// scim changes the number as the SCIM bridge does.
func (o *order) scim(ctx context.Context, d *doer, change claim.DirectChange) {
	began, living := time.Now(), o.living(ctx) //nolint:forbidigo // of the bubble
	change.Source, change.SignedIn = claim.SourceSCIM, &claim.SignIn{At: began}
	var p claim.Proposal
	err := d.service.WithLease(ctx, someone, func(ctx context.Context) error {
		seen, err := o.kratos.Identity(ctx, someone)
		if err != nil {
			return err
		}
		if p, err = d.service.Propose(ctx, seen, change); err != nil {
			return err
		}
		if !p.HoldsBack() || p.Pending.Unmasked() != seen.Pending {
			_, err = o.kratos.patch(ctx, "SCIM writes", func(i *claim.Identity) error {
				i.Pending = p.Pending.Unmasked()
				if !p.HoldsBack() {
					i.Verified = i.Verified && p.Number.Unmasked() == i.Mobile
					i.Mobile = p.Number.Unmasked()
				}
				return nil
			})
			if !p.HoldsBack() && (err == nil || d.dead && d.late) {
				o.wished(wish{kind: written, number: p.Number.Unmasked(), unheard: err != nil}, began)
			}
		}
		at := len(o.wishes) - 1
		fault := d.service.Settle(ctx, p, err)
		if fault != nil && !p.HoldsBack() {
			o.wishes[at].unheard = true // the client has an error, and asks again
		}
		return errors.Join(fault, err)
	})
	o.say(d, "answered: %d %v", p.Decision, err)
	switch {
	case err != nil:
	case p.Decision == claim.Challenge:
		o.wished(wish{kind: asked, number: change.Wanted}, began)
	case p.Decision == claim.CancelPending, !p.HoldsBack():
		o.wished(wish{kind: takenBack, living: living}, began)
	}
}

// work is a worker that comes by six seconds later.
func (o *order) work(ctx context.Context, d *doer) {
	time.Sleep(6 * time.Second) //nolint:forbidigo // of the bubble
	for range 3 {
		if n, err := d.service.RunDue(ctx); n == 0 || err != nil {
			return
		}
	}
}

package claimtest

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/holdline/holdline/internal/admin"
	"github.com/holdline/holdline/internal/claim"
	"github.com/holdline/holdline/internal/phone"
)

// rows are the person's claims.
func (o *order) rows(ctx context.Context) []claim.Claim {
	rows, err := o.store.FindClaims(ctx, admin.ClaimQuery{Limit: everything})
	if err != nil {
		o.fail("claims: %v", err)
	}
	return rows
}

// living are the claims that are staged or open.
func (o *order) living(ctx context.Context) []string {
	var ids []string
	for _, c := range o.rows(ctx) {
		if c.State == claim.Staged || c.State == claim.Open {
			ids = append(ids, c.ID)
		}
	}
	return ids
}

// adopted looks at a number that is about to be written as verified.
func (o *order) adopted(ctx context.Context, number phone.Number) {
	accepted := slices.ContainsFunc(o.rows(ctx), func(c claim.Claim) bool {
		return (c.State == claim.Verified || c.State == claim.Applied) && c.Number.Same(number)
	})
	if !accepted {
		o.fail("%s is written as verified, and no code came back", number.Unmasked())
	}
}

// check looks at what came of it all.
func (o *order) check(ctx context.Context) {
	rows := o.rows(ctx)
	identity := o.kratos.identity
	var open *claim.Claim
	held := 0
	for _, c := range rows {
		if c.State.Active() {
			held++
			open = &c
		}
		if c.State == claim.Staged || c.State == claim.Verified {
			o.fail("it does not come to rest: %s is %s", c.Number.Unmasked(), c.State)
		}
	}
	if held > 1 {
		o.fail("%d claims are open", held)
	}
	switch {
	case open == nil && identity.Pending != "":
		o.fail("%s is shown as pending, and nothing is open", identity.Pending)
	case open != nil && identity.Pending != open.Number.Unmasked():
		o.fail("%q is shown as pending, and the claim to %s is open", identity.Pending, open.Number.Unmasked())
	}
	o.checkNumber(ctx, identity)
	o.checkTakenBack(rows)
	o.checkTold(rows)
	o.checkAsked(rows)
	o.checkCodes(ctx)
}

// sets reports whether a wish is for a number that is in Kratos at once.
func (w wish) sets() bool { return w.kind == confirmed || w.kind == written || w.kind == elsewhere }

// checkNumber wants the number that was set last, or any of those that were last at
// the same time. Of a form that nobody spoke of another one may have taken its place.
func (o *order) checkNumber(ctx context.Context, identity claim.Identity) {
	allowed, settled := map[string]bool{}, false
	for _, w := range o.wishes {
		followed := slices.ContainsFunc(o.wishes, func(later wish) bool {
			return later.sets() && !later.unheard && w.ended.Before(later.began)
		})
		if w.sets() && !followed {
			allowed[w.number], settled = true, settled || !w.unheard
		}
	}
	if !settled {
		allowed[firstOne] = true
		for _, w := range o.wishes {
			if w.sets() {
				allowed[w.number] = true
			}
		}
	}
	if !allowed[identity.Mobile] && !o.besideElsewhere() && !o.twoChangesAgo(ctx, identity.Mobile) && !o.beforeAnUnheardRemoval(identity.Mobile) {
		o.fail("Kratos holds %q, verified: %t; it should hold one of %v", identity.Mobile, identity.Verified, allowed)
	}
	codeCame := slices.ContainsFunc(o.rows(ctx), func(c claim.Claim) bool {
		return c.State == claim.Applied && c.Number.Unmasked() == identity.Mobile
	})
	switch {
	case identity.Verified && identity.Mobile != firstOne && !codeCame:
		o.fail("%s is marked as verified, and no code came back", identity.Mobile)
	case !identity.Verified && codeCame && !o.directly(identity.Mobile):
		o.fail("%s is not marked as verified, and its code came back", identity.Mobile)
	}
}

// twoChangesAgo reports whether a number is one that a claim replaced whose own number
// has been replaced since: a form that began before both may put that back, and only
// what the last claim replaced is known for a form's.
func (o *order) twoChangesAgo(ctx context.Context, number string) bool {
	rows := o.rows(ctx)
	return slices.ContainsFunc(rows, func(first claim.Claim) bool {
		return first.State == claim.Applied && first.Previous.Unmasked() == number && slices.ContainsFunc(rows, func(second claim.Claim) bool {
			return second.State == claim.Applied && second.Previous.Same(first.Number) && second.EndedAt.After(first.EndedAt)
		})
	})
}

// beforeAnUnheardRemoval reports whether a number is the first one, and a removal of it,
// of which no call came, was followed by a number that was written. That one replaced
// none, so no claim says which number a form that began before both may put back.
func (o *order) beforeAnUnheardRemoval(number string) bool {
	return number == firstOne && slices.ContainsFunc(o.wishes, func(removal wish) bool {
		return removal.kind == written && removal.number == "" && removal.unheard && slices.ContainsFunc(o.wishes, func(next wish) bool {
			return next.kind == written && next.number != "" && next.ended.After(removal.began)
		})
	})
}

func (o *order) directly(number string) bool {
	return slices.ContainsFunc(o.wishes, func(w wish) bool { return w.kind == written && w.number == number })
}

// besideElsewhere reports whether something else went on while the number was set
// elsewhere: Kratos has no lock, and either may be the last.
func (o *order) besideElsewhere() bool {
	for i, w := range o.wishes {
		for j, other := range o.wishes {
			if w.kind == elsewhere && o.died || w.kind == elsewhere && i != j && other.began.Before(w.ended) && w.began.Before(other.ended) {
				return true
			}
		}
	}
	return false
}

// checkTold wants every number that was verified, and is no longer stored, to be what
// some claim has ended. What is set elsewhere ends numbers without Holdline.
func (o *order) checkTold(rows []claim.Claim) {
	var verified []string
	if !slices.ContainsFunc(o.doers, func(d *doer) bool { return d.first }) {
		verified = append(verified, firstOne)
	}
	for _, c := range rows {
		if c.State == claim.Applied && !c.Direct {
			verified = append(verified, c.Number.Unmasked())
		}
	}
	for _, number := range verified {
		told := slices.ContainsFunc(rows, func(c claim.Claim) bool {
			return c.State == claim.Applied && c.PreviousVerified && c.Previous.Unmasked() == number
		})
		past := slices.ContainsFunc(o.doers, func(d *doer) bool { return d.name == "set elsewhere" })
		if !told && !past && o.kratos.identity.Mobile != number {
			o.fail("%s was verified and is gone, and nobody is told", number)
		}
	}
}

// checkTakenBack wants nothing of what was taken back to be under way.
func (o *order) checkTakenBack(rows []claim.Claim) {
	for _, w := range o.wishes {
		if w.kind != takenBack {
			continue
		}
		for _, c := range rows {
			if slices.Contains(w.living, c.ID) && (c.State == claim.Open || c.State == claim.Staged || c.State == claim.Verified) {
				o.fail("the claim to %s was taken back, and is %s", c.Number.Unmasked(), c.State)
			}
		}
		for _, form := range o.wishes {
			staged := slices.ContainsFunc(rows, func(c claim.Claim) bool { return c.FlowID == form.flow && slices.Contains(w.living, c.ID) })
			for _, c := range rows {
				if form.flow != "" && staged && c.FlowID == form.flow && c.State.Active() {
					o.fail("the form with %s was taken back, and its claim is %s", form.number, c.State)
				}
			}
		}
	}
}

// checkAsked wants the only wish that nothing else met to be open.
func (o *order) checkAsked(rows []claim.Claim) {
	i := slices.IndexFunc(o.wishes, func(w wish) bool { return w.kind == asked })
	others := slices.ContainsFunc(o.wishes, func(w wish) bool { return w.kind != asked && w.kind != saved && w.kind != confirmed })
	asking := 0
	for _, w := range o.wishes {
		if w.kind == asked {
			asking++
		}
	}
	if i < 0 || asking > 1 || others || o.died || slices.ContainsFunc(o.doers, func(d *doer) bool { return strings.Contains(d.name, "lost") }) {
		return
	}
	given := slices.ContainsFunc(o.wishes, func(w wish) bool { return w.kind == confirmed && w.number == o.wishes[i].number })
	if w := o.wishes[i]; !given && !slices.ContainsFunc(rows, func(c claim.Claim) bool { return c.Number.Unmasked() == w.number && c.State == claim.Open }) {
		o.fail("%s was asked for and is not open", w.number)
	}
}

// checkCodes types every code that ever came: only that of an open claim is good.
func (o *order) checkCodes(ctx context.Context) {
	open := map[string]bool{}
	for _, c := range o.rows(ctx) {
		if c.State == claim.Open {
			open[c.ID] = true
		}
	}
	service := o.newService()
	for _, text := range o.phone {
		if open[text.Code.ClaimID] {
			continue
		}
		code, err := o.codes.Code(text.Code)
		if err != nil {
			o.fail("derive code: %v", err)
		}
		who := o.owner()
		who.AuthenticatedAt = time.Now() //nolint:forbidigo // of the bubble
		if err := service.Confirm(ctx, who, code); !errors.Is(err, claim.ErrWrongCode) {
			o.fail("the code of a claim that has ended is answered %v", err)
		}
	}
}

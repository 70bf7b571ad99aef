package e2e_test

import (
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/holdline/holdline/e2e/harness"
)

// errNobodysNumber: an account has a number without anybody's proof.
var errNobodysNumber = errors.New("the account has a number that nobody confirmed or set")

func wrongNumber(err error) bool { return errors.Is(err, errNobodysNumber) }

// do makes one change, whatever fails meanwhile.
func (w *storm) do(p *person, in intent) error {
	deadline := time.Now().Add(personsPatience)
	switch in.kind {
	case "sent again":
		return w.sentAgain(p, in, deadline)
	case "cancelled":
		return w.cancelled(p, in, deadline)
	case "cancelled while the code is typed":
		return w.cancelledMeanwhile(p, in, deadline)
	case "superseded":
		return w.superseded(p, in, deadline)
	case "superseded while the code is typed":
		return w.supersededMeanwhile(p, in, deadline)
	case "form beside SCIM":
		return w.formBesideSCIM(p, in, deadline)
	case "two SCIM changes at once":
		return w.twoBySCIM(p, in, deadline)
	case "set elsewhere":
		return w.setElsewhere(p, in, deadline)
	case "set elsewhere while the code is typed":
		return w.setElsewhereMeanwhile(p, in, deadline)
	case "set by a privileged client":
		return w.setByClient(p, in, deadline)
	case "locked":
		return w.locked(p, in, deadline)
	case "deleted":
		return w.deleted(p, in, deadline)
	default:
		return w.confirmUntilDone(p, in, p.number(), deadline)
	}
}

// sentAgain: after a resend the new code is good, and the old one is not.
func (w *storm) sentAgain(p *person, in intent, deadline time.Time) error {
	number := p.number()
	first, err := w.reads(p, in, number, nil, deadline)
	if err != nil {
		return err
	}
	turn := in.door
	resent := w.ask("resend", func() (harness.Answer, error) {
		turn++
		answer, err := p.TryResendAt(w.replicas[turn%len(w.replicas)].door)
		if err == nil && answer.Status == http.StatusTooManyRequests {
			err = errNotYet // the cool-down
		}
		return answer, err
	}, deadline)
	// It may have lapsed meanwhile; then there is nothing to resend.
	if resent.Status == http.StatusCreated {
		if err := w.refuses(p, in, first, "a resend replaced it", deadline); err != nil {
			return err
		}
	}
	return w.confirmUntilDone(p, in, number, deadline)
}

// cancelled: a claim that was taken back comes to nothing.
func (w *storm) cancelled(p *person, in intent, deadline time.Time) error {
	code, err := w.reads(p, in, p.number(), nil, deadline)
	if err != nil {
		return err
	}
	if err := w.takesBack(p, in, deadline); err != nil {
		return err
	}
	return w.refuses(p, in, code, "the claim was cancelled", deadline)
}

func (w *storm) takesBack(p *person, in intent, deadline time.Time) error {
	turn := in.door
	answer := w.ask("cancel", func() (harness.Answer, error) {
		turn++
		return p.TryCancelAt(w.replicas[turn%len(w.replicas)].door)
	}, deadline)
	switch answer.Status {
	case http.StatusNoContent, http.StatusNotFound, http.StatusConflict:
		return nil
	default:
		return fmt.Errorf("cancel: %d %s", answer.Status, answer.Body)
	}
}

// atOnce does two things in the same moment.
func (w *storm) atOnce(one, other func() error) error {
	var all sync.WaitGroup
	var first, second error
	all.Go(func() { first = one() })
	all.Go(func() { second = other() })
	all.Wait()
	return errors.Join(first, second)
}

// typing is the right code being typed. Whether it comes in time is open.
func (w *storm) typing(p *person, in intent, code string, deadline time.Time) func() error {
	return func() error {
		_, err := w.types(p, in, code, false, deadline)
		return err
	}
}

// cancelledMeanwhile: the code or the cancellation wins, and then that stands.
func (w *storm) cancelledMeanwhile(p *person, in intent, deadline time.Time) error {
	number := p.number()
	code, err := w.reads(p, in, number, nil, deadline)
	if err != nil {
		return err
	}
	p.allow(number, "its code was typed")
	if err := w.atOnce(w.typing(p, in, code, deadline), func() error { return w.takesBack(p, in, deadline) }); err != nil {
		return err
	}
	return w.ends(p, in, deadline)
}

// superseded: a later number takes the earlier one's place, whose code is dead.
func (w *storm) superseded(p *person, in intent, deadline time.Time) error {
	code, err := w.reads(p, in, p.number(), nil, deadline)
	if err != nil {
		return err
	}
	next := p.number()
	if _, err := w.reads(p, in, next, nil, deadline); err != nil {
		return err
	}
	if err := w.refuses(p, in, code, "another number was asked for", deadline); err != nil {
		return err
	}
	return w.confirmUntilDone(p, in, next, deadline)
}

// supersededMeanwhile: the earlier number may still be made; the later one is.
func (w *storm) supersededMeanwhile(p *person, in intent, deadline time.Time) error {
	number, next := p.number(), p.number()
	code, err := w.reads(p, in, number, nil, deadline)
	if err != nil {
		return err
	}
	p.allow(number, "its code was typed")
	if err := w.atOnce(w.typing(p, in, code, deadline), func() error { return w.wants(p, in, next, deadline) }); err != nil {
		return err
	}
	return w.confirmUntilDone(p, in, next, deadline)
}

// formBesideSCIM: two ask for two numbers in the same moment; one of them, asked
// for once more, is made.
func (w *storm) formBesideSCIM(p *person, in intent, deadline time.Time) error {
	one, other := p.number(), p.number()
	form, scim := in, in
	form.asks = "form"
	if in.asks == "form" {
		scim.asks = "PATCH Me"
	}
	err := w.atOnce(
		func() error { return w.wants(p, form, one, deadline) },
		func() error { return w.wants(p, scim, other, deadline) })
	if err != nil {
		return err
	}
	return w.confirmUntilDone(p, in, []string{one, other}[in.door%2], deadline)
}

// twoBySCIM: of two changes of one account at two replicas in the same moment none
// is lost, although Kratos writes accounts without a lock.
func (w *storm) twoBySCIM(p *person, in intent, deadline time.Time) error {
	number := p.number()
	name := "Known as " + number
	other := in
	other.door++
	err := w.atOnce(
		func() error { return w.scim(p, in, own["PATCH Users"], w.client, to(number, "true"), deadline) },
		func() error { return w.scim(p, other, own["PATCH Users"], w.client, wish{name: name}, deadline) })
	if err != nil {
		return err
	}
	for err = w.shows(p, name, number); err != nil; err = w.shows(p, name, number) {
		if wrongNumber(err) || errors.Is(err, errLost) || time.Now().After(deadline) {
			return err
		}
		time.Sleep(50 * time.Millisecond)
	}
	return w.confirmUntilDone(p, in, number, deadline)
}

// errLost: what was answered with success did not happen.
var errLost = errors.New("LOST")

// shows looks whether an account has a name and shows a number as pending, as long as
// the claim to the number is open. There must have been one.
func (w *storm) shows(p *person, name, number string) error {
	before, err := w.stack.Database.Claims(p.ID, number)
	if err != nil {
		return err
	}
	i, err := p.look()
	if err != nil {
		return err
	}
	claims, err := w.stack.Database.Claims(p.ID, number)
	if err != nil {
		return err
	}
	if i.Traits.Name != name {
		return fmt.Errorf("%w: the name is %q, and was changed to %q", errLost, i.Traits.Name, name)
	}
	if len(claims) == 0 { // or left out, while an accepted number was being written: that is audited
		if n, err := w.stack.Database.LeftOut(p.ID); err != nil || n > 0 {
			return err
		}
		return fmt.Errorf("%w: no claim to %s, which was asked for", errLost, number)
	}
	for id, state := range claims {
		if state == "open" && before[id] == "open" && i.Pending() != number {
			return fmt.Errorf("%w: %q is shown as pending, and claim %s to %s is open", errLost, i.Pending(), id, number)
		}
	}
	return nil
}

// setElsewhere: a number that was set past Holdline is not overwritten.
func (w *storm) setElsewhere(p *person, in intent, deadline time.Time) error {
	code, err := w.reads(p, in, p.number(), nil, deadline)
	if err != nil {
		return err
	}
	elsewhere := p.number()
	if err := w.overwrites(p, elsewhere, deadline); err != nil {
		return err
	}
	// Not allowed: what the code is for must never be seen from here on.
	if _, err := w.types(p, in, code, false, deadline); err != nil {
		return err
	}
	if err := w.ends(p, in, deadline); err != nil {
		return err
	}
	return w.has(p, elsewhere, deadline)
}

func (w *storm) overwrites(p *person, number string, deadline time.Time) error {
	p.allow(number, "was set elsewhere")
	answer := w.ask("overwrite", func() (harness.Answer, error) { return p.TryOverwrite(number) }, deadline)
	if answer.Status != http.StatusOK {
		return fmt.Errorf("overwrite: %d %s", answer.Status, answer.Body)
	}
	return nil
}

// has checks which number the account has.
func (w *storm) has(p *person, number string, deadline time.Time) error {
	for {
		i, err := p.look()
		switch {
		case err == nil && i.Traits.Mobile == number:
			return nil
		case err == nil:
			return fmt.Errorf("the number %s, set elsewhere, was overwritten by %s", number, i.Traits.Mobile)
		case wrongNumber(err) || time.Now().After(deadline):
			return err
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// setElsewhereMeanwhile: Kratos has no lock, so either may be the last.
func (w *storm) setElsewhereMeanwhile(p *person, in intent, deadline time.Time) error {
	number := p.number()
	code, err := w.reads(p, in, number, nil, deadline)
	if err != nil {
		return err
	}
	elsewhere := p.number()
	p.allow(number, "its code was typed")
	if err := w.atOnce(w.typing(p, in, code, deadline), func() error { return w.overwrites(p, elsewhere, deadline) }); err != nil {
		return err
	}
	return w.ends(p, in, deadline)
}

// setByClient: a privileged client's number is written at once, and the claim is
// cancelled (row D6).
func (w *storm) setByClient(p *person, in intent, deadline time.Time) error {
	code, err := w.reads(p, in, p.number(), nil, deadline)
	if err != nil {
		return err
	}
	written := p.number()
	p.allow(written, "a privileged client wrote it")
	if err := w.scim(p, in, own["PATCH Users"], w.trusted, to(written, ""), deadline); err != nil {
		return err
	}
	if err := w.refuses(p, in, code, "the number was written directly", deadline); err != nil {
		return err
	}
	return w.has(p, written, deadline)
}

// locked: after too many wrong codes the right one is refused too.
func (w *storm) locked(p *person, in intent, deadline time.Time) error {
	code, err := w.reads(p, in, p.number(), nil, deadline)
	if err != nil {
		return err
	}
	for n := range 5 {
		if err := w.refuses(p, in, harness.WrongCode(code, n), "it is wrong", deadline); err != nil {
			return err
		}
	}
	return w.refuses(p, in, code, "five wrong codes came before it", deadline)
}

// deleted uses a spare account: it asks for a number and then disappears from
// Kratos, or is left alone until its claim lapses.
func (w *storm) deleted(p *person, in intent, deadline time.Time) error {
	for _, spare := range p.spares {
		if len(spare.asked) > 1 {
			continue
		}
		code, err := w.reads(spare, in, spare.number(), nil, deadline)
		if err != nil || in.door == 0 {
			return err
		}
		if in.wrong > 0 { // in the middle of its being written
			spare.allow(spare.asked[1], "its code was typed")
			answer, err := w.types(spare, in, code, false, deadline)
			if err != nil {
				return err
			}
			if answer.Status == http.StatusAccepted {
				spare.accepted = append(spare.accepted, spare.asked[1])
			}
		}
		answer := w.ask("delete", func() (harness.Answer, error) { return spare.TryDelete() }, deadline)
		if answer.Status != http.StatusNoContent && answer.Status != http.StatusNotFound {
			return fmt.Errorf("delete: %d %s", answer.Status, answer.Body)
		}
		spare.gone = true
		return nil
	}
	return w.confirmUntilDone(p, in, p.number(), deadline)
}

// Package trial proves that a running Kratos holds a changed number back: with an
// identity of its own, which it makes, signs in, has its number changed by the settings
// flow, and deletes. Holdline is told beforehand, so that nobody is texted.
package trial

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"time"

	"github.com/holdline/holdline/client"
	"github.com/holdline/holdline/doctor"
)

// Options say what is tried.
type Options struct {
	Realm    doctor.Realm
	SchemaID string
	Schema   map[string]any
	Traits   map[string]any // the operator's own, in place of made ones
	Now      func() time.Time
	// Say hears of each step, in words for people.
	Say func(string)
	// Poll is how long to wait between two looks at what happens in the background.
	Poll time.Duration
}

const (
	// longestTrial bounds a trial. Kratos' longest form lasts 93 s, of hooks that hang.
	longestTrial = 110 * time.Second
	// longestCleaning bounds the deletion, whatever ended the trial.
	longestCleaning = 15 * time.Second
	// patience is how long the activate hook may take, which Kratos calls in the
	// background.
	patience = 15 * time.Second
	// abandoned is the age from which on an identity is nobody's trial any more.
	abandoned = 5 * time.Minute
)

// trial is one that is under way.
type trial struct {
	Options
	kratos   kratos
	holdline client.Client
	made     made
	run      string // tells its identity from another doctor's
	asked    bool   // for an identity
	id       string // blank while there is none that is known
	seen     doctor.Trial
}

// Run tries one change of number. What it has made is deleted whatever happens, and what
// is left of an earlier run that was killed. The error says why nothing could be tried.
func Run(ctx context.Context, o Options) (seen doctor.Trial, err error) {
	t := &trial{
		Options: o, run: rand.Text(),
		kratos:   kratos{o.Realm.PublicURL, o.Realm.AdminURL, &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}},
		holdline: client.Client{URL: o.Realm.Hook.BaseURL, As: client.HookKey(o.Realm.Hook.Key)},
	}
	t.seen.Realm = o.Realm.Name
	if t.made, err = makeTraits(o.Schema, o.Traits, o.Realm.Hook.MobileTrait); err != nil {
		return t.seen, err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, longestTrial, errors.New("the trial took too long"))
	defer cancel()
	if err := t.removeAbandoned(ctx); err != nil {
		return t.seen, err
	}
	defer func() { // after a panic too
		t.clean(context.WithoutCancel(ctx))
		seen = t.seen
	}()
	return t.seen, t.try(ctx)
}

// removeAbandoned deletes what an earlier run left that was killed. A trial that may be
// under way is waited for.
func (t *trial) removeAbandoned(ctx context.Context) error {
	for _, identifier := range t.identifiers() {
		for {
			left, err := t.kratos.byIdentifier(ctx, identifier)
			if err != nil {
				return err
			}
			if left == nil {
				break
			}
			if began, _ := left.began(); t.Now().Sub(began) >= abandoned {
				t.Say("deleting the identity " + left.ID + ", which an earlier run left")
				if err := t.kratos.remove(ctx, left.ID); err != nil {
					return fmt.Errorf("the identity %s of an earlier run cannot be deleted: %w", left.ID, err)
				}
				t.seen.Abandoned = append(t.seen.Abandoned, left.ID)
				break
			}
			t.Say("waiting: another doctor is trying, or was killed a moment ago")
			if err := t.wait(ctx); err != nil {
				return errors.New("another doctor is trying this Kratos (or was killed less than five minutes ago, and the next run tidies up)")
			}
		}
	}
	return nil
}

// identifiers are those by which an identity of a trial may be found.
func (t *trial) identifiers() []string {
	var all []string
	for _, identifier := range t.made.identifiers {
		if identifier == "" { // the number
			all = append(all, t.made.first...)
			continue
		}
		all = append(all, identifier)
	}
	return all
}

// wait waits for the next look.
func (t *trial) wait(ctx context.Context) error {
	timer := time.NewTimer(t.Poll)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-timer.C:
		return nil
	}
}

// try does what a person does, and looks at what comes of it.
func (t *trial) try(ctx context.Context) error {
	password := rand.Text() + "-aA1"
	traits, from, to, err := t.create(ctx, password)
	if err != nil {
		return err
	}
	if _, err := t.holdline.BeginTrial(ctx, t.id); err != nil {
		return fmt.Errorf("not tried, because Holdline could not be told: %w", err)
	}
	t.Say("signing in")
	identifier := t.made.identifiers[0]
	if identifier == "" {
		identifier = from
	}
	session, err := t.kratos.signIn(ctx, identifier, password)
	if err != nil {
		return err
	}
	t.Say("changing its number in the settings flow")
	changed := maps.Clone(traits)
	changed[t.Realm.Hook.MobileTrait] = to
	saved, err := t.kratos.save(ctx, session, changed)
	if err != nil {
		return err
	}
	if !saved.ok() {
		t.seen.Refused = saved.words()
	}
	return t.look(ctx, from, to)
}

// create makes the identity. Numbers that somebody has all the same are passed over.
func (t *trial) create(ctx context.Context, password string) (traits map[string]any, from, to string, err error) {
	for i, from := range t.made.first {
		to := t.made.then[i%len(t.made.then)]
		traits := maps.Clone(t.made.traits)
		traits[t.Realm.Hook.MobileTrait] = from
		addresses := make([]address, len(t.made.addresses))
		for i, a := range t.made.addresses {
			if addresses[i] = a; a.value == "" {
				addresses[i].value = from
			}
		}
		t.Say(fmt.Sprintf("making an identity of the schema %s", t.SchemaID))
		t.asked = true
		made, taken, err := t.createOnce(ctx, password, traits, addresses)
		if err != nil {
			return nil, "", "", err
		}
		if !taken {
			t.id, t.seen.Identity = made.ID, made.ID
			return traits, from, to, context.Cause(ctx)
		}
	}
	return nil, "", "", errors.New("other identities have what the trial's needs: give it traits of its own in --try-traits")
}

// createOnce waits for Kratos' answer whatever happens meanwhile: it has the id by which the
// identity is deleted.
func (t *trial) createOnce(ctx context.Context, password string, traits map[string]any, addresses []address) (identity, bool, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), longestCleaning)
	defer cancel()
	return t.kratos.create(ctx, t.SchemaID, password, traits, addresses, t.run, t.Now())
}

// look sees what Kratos holds now, and waits for the activate hook where it is due.
func (t *trial) look(ctx context.Context, from, to string) error {
	now, err := t.kratos.get(ctx, t.id)
	if err != nil {
		return err
	}
	if now == nil {
		return errors.New("the identity was deleted by somebody else")
	}
	mobile, _ := now.Traits[t.Realm.Hook.MobileTrait].(string)
	pending, _ := now.Public[t.Realm.Hook.PendingKey].(string)
	t.seen.Written, t.seen.Kept = mobile == to, mobile == from
	t.seen.Shown = pending == to
	t.seen.Verifiable, t.seen.StillVerified = t.made.verifiable, now.isVerified(from)
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		hooks, err := t.holdline.Trial(ctx, t.id)
		if err != nil {
			if ctx.Err() != nil && t.seen.Complete {
				return nil
			}
			return fmt.Errorf("what Holdline saw is not known: %w", err)
		}
		t.seen.Staged, t.seen.Activated, t.seen.Held, t.seen.Complete = hooks.Staged, hooks.Activated, hooks.Held, true
		if !hooks.Held || !t.seen.Shown || hooks.Activated > 0 || t.wait(ctx) != nil {
			return nil
		}
	}
}

// clean deletes the identity, and tells Holdline. It is found by its name if a request was
// broken off whose answer would have told its id.
func (t *trial) clean(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, longestCleaning)
	defer cancel()
	if err := t.remove(ctx); err != nil {
		t.seen.Left = err.Error()
		t.Say("the identity could not be deleted: " + err.Error())
		return
	}
	if t.id != "" {
		t.Say("deleted the identity")
		_ = t.holdline.EndTrial(ctx, t.id) // it ends by itself
		if t.Realm.Hook.Changed {
			_ = t.holdline.ChangedHook(ctx, t.id) // the index hears of it anyway
		}
	}
}

func (t *trial) remove(ctx context.Context) (err error) {
	for {
		if err = t.removeOnce(ctx); err == nil || t.wait(ctx) != nil {
			return err
		}
	}
}

func (t *trial) removeOnce(ctx context.Context) error {
	if t.id != "" {
		return t.kratos.remove(ctx, t.id)
	}
	if !t.asked {
		return nil
	}
	for _, identifier := range t.identifiers() {
		left, err := t.kratos.byIdentifier(ctx, identifier)
		if err == nil && left != nil && left.run() == t.run {
			err = t.kratos.remove(ctx, left.ID)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

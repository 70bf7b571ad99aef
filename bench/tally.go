package main

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// tally counts whether all was done that was begun.
type tally struct {
	changes   int
	unwritten int // numbers that Kratos does not have, verified, and claims that are not applied
	texts     int // that came
	never     int // texts that did not come
	twice     int // texts that came once more
	strays    int // numbers that got a text and should not

	expected map[string]int // texts, by number
}

// expect is told of a change: a code to the new number and a notice to the old one.
func (t *tally) expect(p person) {
	t.changes++
	t.expected[p.mobile]++
	t.expected[p.was]++
}

// settle waits until every claim of the database is applied, every number of the block
// written and no text queued any more, and counts those that are not when patience
// is over.
func (v *variant) settle(ctx context.Context) error {
	deadline := time.Now().Add(patience)
	for {
		queued, open, err := v.open(ctx)
		if err != nil {
			return err
		}
		if queued+open == 0 || time.Now().After(deadline) {
			v.tally.unwritten += open
			break
		}
		if err := wait(ctx, 10*time.Millisecond); err != nil {
			return err
		}
	}
	for _, p := range v.acted {
		v.target.leave(p)
	}
	clear(v.acted)
	return nil
}

// open counts the texts that are queued, and the changes that are not done.
func (v *variant) open(ctx context.Context) (queued, open int, err error) {
	err = v.pool.QueryRowContext(ctx, fmt.Sprintf("SELECT (SELECT COUNT(*) FROM %stexts WHERE state = 'queued'), "+
		"(SELECT COUNT(*) FROM %[1]sclaims WHERE state <> 'applied')", v.tables)).Scan(&queued, &open)
	if err != nil || queued+open > 0 {
		return queued, open, err
	}
	for _, p := range v.acted {
		done, err := v.target.done(ctx, p)
		if err != nil {
			return queued, open, err
		}
		if !done {
			open++
		}
	}
	return queued, open, nil
}

// count completes the tally at the very end, when a second text has had all the
// time to come.
func (v *variant) count() tally {
	t := v.tally
	for number, want := range t.expected {
		got := v.provider.Texts(number)
		t.texts += got
		t.never += max(0, want-got)
		t.twice += max(0, got-want)
	}
	t.strays = v.provider.Numbers() - len(t.expected)
	return t
}

// fault is an error if anything was lost or doubled, or nothing was done.
func (t tally) fault() error {
	if t.changes == 0 {
		return errors.New("no number was changed")
	}
	if t.unwritten+t.never+t.twice+t.strays != 0 {
		return fmt.Errorf("of %d changes %d not written, %d texts never came, %d came twice, %d went astray",
			t.changes, t.unwritten, t.never, t.twice, t.strays)
	}
	return nil
}

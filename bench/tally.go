package main

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// textsPerChange is the code to the new number and the notice to the old one.
const textsPerChange = 2

// tally counts whether all was done that was begun.
type tally struct {
	changes   int
	unwritten int // numbers that Kratos does not have, verified
	texts     int // that came
	never     int // texts that did not come
	twice     int // texts that came more than once
	strays    int // numbers that got a text and should not

	numbers []string // that are to get one text each
}

// settle waits until every number of the block is written and no text is queued
// any more, and counts those that are not written when patience is over.
func (l *load) settle(ctx context.Context) error {
	deadline := time.Now().Add(patience)
	for {
		var queued int
		err := l.server.QueryRowContext(ctx,
			"SELECT COUNT(*) FROM "+l.database+".texts WHERE state = 'queued'").Scan(&queued)
		if err != nil {
			return err
		}
		open := 0
		for _, p := range l.people {
			if stored, ok := l.kratos.Identity(p.id); !ok || !stored.Done(p.mobile) {
				open++
			}
		}
		if queued+open == 0 || time.Now().After(deadline) {
			l.tally.unwritten += open
			break
		}
		if err := wait(ctx, 20*time.Millisecond); err != nil {
			return err
		}
	}
	for _, p := range l.people {
		l.tally.numbers = append(l.tally.numbers, p.mobile, p.was)
		l.kratos.Remove(p.id, p.token)
	}
	return nil
}

// count completes the tally at the very end, when a second text has had all the
// time to come.
func (v *variant) count() tally {
	t := v.tally
	t.changes = len(t.numbers) / textsPerChange
	for _, number := range t.numbers {
		texts := v.provider.Texts(number)
		t.texts += texts
		switch {
		case texts == 0:
			t.never++
		case texts > 1:
			t.twice++
		}
	}
	t.strays = v.provider.Numbers() - len(t.numbers)
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

package main

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/google/uuid"
)

// script is what one change asks of the database: its statements, in their order, and
// what of them is another's in another change.
type script struct {
	statements []string
	ids        []string
	person     person // whose change it was
}

var (
	quotedID = regexp.MustCompile(`'([0-9a-f]{32}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})'`)
	opens    = regexp.MustCompile(`(?i)^(BEGIN|START TRANSACTION)`)
	closes   = regexp.MustCompile(`(?i)^(COMMIT|ROLLBACK)`)
)

// startReplay is the floor of what a change asks of the database: the statements of
// a real one are taken from the general log, and made again for other people by
// nobody but a client of the database.
func startReplay(ctx context.Context, b *bench, c contender, first *variant) (contestant, error) {
	f, dsn, err := openFloor(ctx, b, c)
	if err != nil {
		return nil, err
	}
	change, err := first.record(ctx)
	if err != nil {
		return nil, err
	}
	err = b.server.hastily(ctx, func() error {
		if err := migrate(ctx, b.holdlineBin, dsn); err != nil {
			return err
		}
		return b.server.multiply(ctx, first.database, f.database, 1)
	})
	if err != nil {
		return nil, err
	}
	var made atomic.Int64
	f.once = func(ctx context.Context, conn *sql.Conn) error {
		return change.play(ctx, conn, made.Add(1))
	}
	f.ended = func(ctx context.Context) error {
		var applied, sent int64
		err := b.server.QueryRowContext(ctx, fmt.Sprintf("SELECT (SELECT COUNT(*) FROM %s.claims WHERE state = 'applied'), "+
			"(SELECT COUNT(*) FROM %[1]s.texts WHERE state = 'sent')", f.database)).Scan(&applied, &sent)
		if want := made.Load() + firstClaims; err == nil && (applied != want || sent != 2*want) {
			err = fmt.Errorf("of %d changes %d are applied, and %d of %d texts sent", want, applied, sent, 2*want)
		}
		return err
	}
	return f, nil
}

// record makes one change and returns what it asked of the database.
func (v *variant) record(ctx context.Context) (s script, err error) {
	log, err := v.bench.server.logged(ctx, func() error {
		u, err := v.arrive(ctx, 1)
		if err != nil {
			return err
		}
		s.person = u.now[0]
		_, err = u.change(ctx, 0)
		return errors.Join(err, v.settle(ctx))
	})
	if err != nil {
		return s, err
	}
	s.take(log)
	if len(s.statements) == 0 {
		err = errors.New("the general log has nothing of a change")
	}
	return s, err
}

// take keeps of a log the transactions, and the statements outside of any, that speak
// of the person or of what was made for the person.
func (s *script) take(log []statement) {
	type unit struct {
		at    int
		lines []string
	}
	var units []unit
	open := map[int64]*unit{}
	for at, line := range log {
		current, ok := open[line.thread]
		switch {
		case opens.MatchString(line.text):
			open[line.thread] = &unit{at, []string{line.text}}
		case !ok:
			units = append(units, unit{at, []string{line.text}})
		default:
			current.lines = append(current.lines, line.text)
			if closes.MatchString(line.text) {
				units = append(units, *current)
				delete(open, line.thread)
			}
		}
	}
	slices.SortFunc(units, func(a, b unit) int { return cmp.Compare(a.at, b.at) })
	known := []string{s.person.id}
	for _, u := range units {
		text := strings.Join(u.lines, "\n")
		if !slices.ContainsFunc(known, func(id string) bool { return strings.Contains(text, "'"+id+"'") }) {
			continue
		}
		s.statements = append(s.statements, u.lines...)
		for _, found := range quotedID.FindAllStringSubmatch(text, -1) {
			if !slices.Contains(known, found[1]) {
				known = append(known, found[1])
			}
		}
	}
	s.ids = known
}

// of returns the statements for the nth change after the recorded one: all ids are
// others, of the same form, and so are the numbers.
func (s script) of(n int64) []string {
	var pairs []string
	for _, id := range s.ids {
		other := uuid.NewString()
		if !strings.Contains(id, "-") {
			other = strings.ReplaceAll(other, "-", "")
		}
		pairs = append(pairs, id, other)
	}
	for _, number := range []string{s.person.was, s.person.mobile} {
		pairs = append(pairs, number, fmt.Sprintf("%s%08d", number[:len(number)-8], 10_000_000+n))
	}
	replacer := strings.NewReplacer(pairs...)
	made := make([]string, len(s.statements))
	for i, text := range s.statements {
		made[i] = replacer.Replace(text)
	}
	return made
}

// play makes the nth change on a connection. Answers are read to their end, as
// Holdline does.
func (s script) play(ctx context.Context, conn *sql.Conn, n int64) error {
	for _, text := range s.of(n) {
		if err := ask(ctx, conn, text); err != nil {
			return err
		}
	}
	return nil
}

func ask(ctx context.Context, conn *sql.Conn, text string) error {
	if !strings.HasPrefix(strings.ToUpper(text), "SELECT") {
		_, err := conn.ExecContext(ctx, text)
		return err
	}
	rows, err := conn.QueryContext(ctx, text)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() { // what is read does not matter
	}
	return rows.Err()
}

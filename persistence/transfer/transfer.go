// Package transfer copies all that Holdline keeps from one database to another, of the same
// kind or not.
//
// It reads and writes rows by a list of tables and of what their columns hold, batch by
// batch in the order of keys. How far it is stands in the database that is written to, in
// the transaction that adds a batch: a copy that was broken off, at whatever moment, goes
// on where it was. In the end both databases are read again, and must have the same rows.
package transfer

import (
	"context"
	"errors"
	"fmt"

	"gorm.io/gorm"
)

const (
	defaultBatch = 500
	// pageBytes is how much of a table one transaction writes, roughly.
	pageBytes = 1 << 20
)

// Options are how to copy.
type Options struct {
	// Batch is how many rows one transaction adds at most; 500 if it is 0.
	Batch int
	// Restart forgets what an earlier copy has written that was not finished.
	Restart bool
	// Report hears of each batch once it is committed; nil for nobody.
	Report func(Table)
}

// Table is how far a table is.
type Table struct {
	Name string
	Rows int64
	// Mended is how many of them had texts with NUL characters or invalid UTF-8, which
	// not every database takes. U+FFFD stands in their places.
	Mended int64
}

// Result is what was done.
type Result struct {
	// Tables are all tables, with what both databases have.
	Tables []Table
	// Resumed is how many rows an earlier run had copied.
	Resumed int64
	// Already tells that nothing was to be done.
	Already bool
}

// Copy copies what the database of one DSN has to that of another, which it migrates, and
// compares both. It writes nothing to the first. It refuses databases that others have open,
// as far as their servers tell, and one to copy to that has other data. The errors say what
// an operator has to do; none has a DSN in it.
func Copy(ctx context.Context, from, to string, o Options) (Result, error) {
	c, err := prepare(ctx, from, to, o)
	if err != nil {
		return Result{}, err
	}
	defer c.close()
	return c.run(ctx)
}

// copying is a copy under way.
type copying struct {
	Options
	from, to  *side
	source    string // tells the database that is copied from others
	positions map[string]position
}

// prepare opens both databases. Close what it returns.
func prepare(ctx context.Context, from, to string, o Options) (*copying, error) {
	if from == to {
		return nil, errors.New("--from and --to name the same database")
	}
	if o.Batch <= 0 {
		o.Batch = defaultBatch
	}
	if o.Report == nil {
		o.Report = func(Table) {}
	}
	source, err := open(ctx, fromFlag, from)
	if err != nil {
		return nil, err
	}
	target := (*side)(nil)
	if err = source.wantReady(ctx); err == nil {
		target, err = open(ctx, "--to", to)
	}
	if err != nil {
		source.close()
		return nil, err
	}
	return &copying{Options: o, from: source, to: target}, nil
}

func (c *copying) close() {
	c.to.close()
	c.from.close()
}

func (c *copying) run(ctx context.Context) (Result, error) {
	if err := c.to.migrate(ctx); err != nil {
		return Result{}, err
	}
	var err error
	if c.source, err = c.from.fingerprint(ctx); err != nil {
		return Result{}, err
	}
	if !isUnfinished(ctx, c.to.DB) {
		filled, err := c.to.filled(ctx)
		if err != nil {
			return Result{}, c.to.error(err)
		}
		if filled != "" {
			return c.wantTheSame(ctx, filled)
		}
	} else if c.Restart {
		if err := c.to.clear(ctx); err != nil {
			return Result{}, c.to.error(err)
		}
	}
	if c.positions, err = begin(ctx, c.to.DB, c.source); err != nil {
		return Result{}, err
	}
	result := Result{}
	for _, t := range tables {
		result.Resumed += c.positions[t.name].rows
		err := c.copy(ctx, t)
		if err == nil && t.numbered {
			err = c.to.renumber(ctx, t)
		}
		if err != nil {
			return result, fmt.Errorf("copy %s: %w", t.name, err)
		}
	}
	if result.Tables, err = c.compare(ctx); err != nil {
		return result, err
	}
	// Whoever has come meanwhile may write what is not copied any more.
	if err := c.from.wantAlone(ctx); err != nil {
		return result, err
	}
	return result, c.to.error(end(ctx, c.to.DB))
}

// copy copies what a table has behind its position.
func (c *copying) copy(ctx context.Context, t table) error {
	at, mended := c.positions[t.name], int64(0)
	for {
		page, err := t.page(ctx, c.from.DB, at.last, c.Batch, pageBytes)
		if err != nil || len(page) == 0 {
			return c.from.error(err)
		}
		next := position{rows: at.rows + int64(len(page)), last: page[len(page)-1][:len(t.key)]}
		for i := range page {
			var changed bool
			if page[i], changed = page[i].repaired(); changed {
				mended++
			}
		}
		err = c.to.Transaction(ctx, "copy", t.name, func(tx *gorm.DB) error {
			if err := t.insert(tx, page); err != nil {
				return err
			}
			return t.advance(tx, c.source, at, next)
		})
		if err != nil {
			return c.to.error(c.to.Classify(err))
		}
		at = next
		c.Report(Table{Name: t.name, Rows: at.rows, Mended: mended})
	}
}

// compare reads both databases, which must have the same.
func (c *copying) compare(ctx context.Context) ([]Table, error) {
	all := make([]Table, len(tables))
	for i, t := range tables {
		here, err := t.sumOf(ctx, c.from.DB, c.Batch)
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", t.name, c.from.error(err))
		}
		there, err := t.sumOf(ctx, c.to.DB, c.Batch)
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", t.name, c.to.error(err))
		}
		if !here.same(there) {
			return nil, fmt.Errorf("%s: --from has %d rows, --to has %d, and they are not the same: "+
				"--from was written to meanwhile. Stop every `holdline serve`, and run the copy again with --restart", t.name, here.rows, there.rows)
		}
		all[i] = Table{Name: t.name, Rows: here.rows, Mended: here.mended}
	}
	return all, nil
}

// wantTheSame accepts a database that has all rows already, from a copy that was finished.
func (c *copying) wantTheSame(ctx context.Context, filled string) (Result, error) {
	other := fmt.Errorf("--to has other data than --from already, in %s: name an empty database", filled)
	for _, t := range tables {
		here, err := t.count(ctx, c.from.DB)
		if err != nil {
			return Result{}, c.from.error(err)
		}
		if there, err := t.count(ctx, c.to.DB); err != nil || here != there {
			return Result{}, errors.Join(other, c.to.error(err))
		}
	}
	all, err := c.compare(ctx)
	if err != nil {
		return Result{}, errors.Join(other, err)
	}
	return Result{Tables: all, Already: true}, nil
}

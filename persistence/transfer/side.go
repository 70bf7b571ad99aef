package transfer

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"
	"time"

	"gorm.io/gorm"

	"github.com/holdline/holdline/persistence/database"
	"github.com/holdline/holdline/persistence/dialect"
	"github.com/holdline/holdline/persistence/migration"
)

// side is one of the two databases. Its statements may take long.
type side struct {
	flag string // that names it
	*database.DB
	impatient *database.DB // which the patient one comes of
}

// open opens a database that nobody else has open.
func open(ctx context.Context, flag, dsn string) (*side, error) {
	s := &side{flag: flag}
	kind, err := dialect.Parse(dsn)
	if err != nil {
		return nil, s.error(err)
	}
	if flag == fromFlag && kind.IsMissing() {
		return nil, s.error(errors.New("there is no such file"))
	}
	if s.impatient, err = database.Open(ctx, dsn, database.Options{}); err != nil {
		return nil, s.error(err)
	}
	s.impatient.Pool().SetMaxOpenConns(1) // so that all others are somebody else's
	if s.DB, err = s.impatient.Patient(); err != nil {
		return nil, s.error(errors.Join(err, s.impatient.Close()))
	}
	s.Pool().SetMaxOpenConns(1)
	if s.Pool() != s.impatient.Pool() {
		s.impatient.Pool().SetMaxIdleConns(0)
	}
	if err := s.wantAlone(ctx); err != nil {
		s.close()
		return nil, err
	}
	return s, nil
}

const fromFlag = "--from"

func (s *side) close() {
	s.Close()
	s.impatient.Close()
}

// error says which database it is about.
func (s *side) error(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", s.flag, err)
}

const (
	// goneWithin is how long connections that were closed may still be seen.
	goneWithin = 3 * time.Second
	lookAgain  = 200 * time.Millisecond
)

// wantAlone refuses a database that others have open.
func (s *side) wantAlone(ctx context.Context) error {
	poll := time.NewTicker(lookAgain)
	defer poll.Stop()
	patience := time.NewTimer(goneWithin)
	defer patience.Stop()
	for {
		others, err := s.others(ctx)
		if s.Dialect().Classify(err) == dialect.Conflict {
			others = []string{"who they are cannot be told"}
		} else if err != nil || len(others) == 0 {
			return s.error(s.Classify(err))
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-poll.C:
		case <-patience.C:
			return s.error(fmt.Errorf("others have the database open: stop every `holdline serve`, and close other connections (%s)",
				strings.Join(others, ", ")))
		}
	}
}

func (s *side) others(ctx context.Context) ([]string, error) {
	conn, err := s.Pool().Conn(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { _ = conn.Close() }()
	return s.Dialect().Others(ctx, conn)
}

// wantReady refuses a database with another schema than this release's, of which something
// would be left behind.
func (s *side) wantReady(ctx context.Context) error {
	if isUnfinished(ctx, s.DB) {
		return s.error(ErrUnfinished)
	}
	outdated, err := migration.Outdated(ctx, s.DB)
	if err == nil && outdated {
		err = errors.New("it has no schema, or an outdated one: run `holdline migrate up` on it first")
	}
	if err != nil {
		return s.error(err)
	}
	return s.wantKnown(ctx)
}

// wantKnown refuses the schema of a newer release.
func (s *side) wantKnown(ctx context.Context) error {
	newer, err := migration.Newer(ctx, s.DB)
	if err == nil && newer {
		err = errors.New("its schema is of a newer release: copy with that")
	}
	return s.error(err)
}

// migrate brings a database's schema up to date.
func (s *side) migrate(ctx context.Context) error {
	if err := s.wantKnown(ctx); err != nil {
		return err
	}
	return s.error(migration.Up(ctx, s.DB))
}

// fingerprint tells a database from others: by when its migrations were applied.
func (s *side) fingerprint(ctx context.Context) (string, error) {
	applied, err := migration.History(ctx, s.DB)
	if err != nil {
		return "", s.error(err)
	}
	return fmt.Sprintf("%x", sha256.Sum256([]byte(applied))), nil
}

// filled returns the name of a table that has rows; blank if none has.
func (s *side) filled(ctx context.Context) (string, error) {
	for _, t := range tables {
		if rows, err := t.read(ctx, s.DB, "", nil, 1); err != nil || len(rows) > 0 {
			return t.name, err
		}
	}
	return "", nil
}

// renumber has the database number new rows of a table behind those that were copied.
func (s *side) renumber(ctx context.Context, t table) error {
	statement := s.Dialect().Renumber(t.name, t.key[0].name)
	if statement == "" {
		return nil
	}
	return s.error(s.Classify(s.Repeat(ctx, func(tx *gorm.DB) error { return tx.Exec(statement).Error })))
}

// clear forgets an unfinished copy.
func (s *side) clear(ctx context.Context) error {
	for _, t := range tables {
		err := s.Repeat(ctx, func(tx *gorm.DB) error {
			_, err := database.Exec(tx, "DELETE FROM "+t.name)
			return err
		})
		if err != nil {
			return s.Classify(err)
		}
	}
	return end(ctx, s.DB)
}

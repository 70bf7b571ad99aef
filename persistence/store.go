package persistence

import (
	"context"
	"errors"

	lru "github.com/hashicorp/golang-lru/v2"
	"gorm.io/gorm"

	"github.com/holdline/holdline/internal/claim"
	"github.com/holdline/holdline/internal/message"
	"github.com/holdline/holdline/internal/otp"
	"github.com/holdline/holdline/internal/problem"
	"github.com/holdline/holdline/persistence/database"
)

// Store implements [claim.Store].
type Store struct {
	db *database.DB
	// left are the identities whose lease was not given back, but ended with its
	// claim. It only saves statements.
	left *lru.Cache[string, struct{}]
}

var _ claim.Store = (*Store)(nil)

// NewStore returns a store on a database whose schema is up to date.
func NewStore(db *database.DB) *Store {
	left, err := lru.New[string, struct{}](leftLeases)
	if err != nil {
		panic(err) // only a size below one is refused
	}
	return &Store{db, left}
}

var (
	// errFull: the statement that would have broken a limit inserted nothing.
	errFull = errors.New("a limit is reached")
	// errTaken: the claim's id, or its identity's place, is taken.
	errTaken = errors.New("a unique key is taken")
)

// statement is one of those that a change is made of.
type statement func(tx *gorm.DB) error

// Commit implements [claim.Claims].
func (s *Store) Commit(ctx context.Context, change claim.Change) error {
	var withheld []message.Text
	statements := plan(change, &withheld)
	if change.Release != nil {
		statements = append(statements, releaseLease(*change.Release))
	}
	leased := false
	if change.Lease != nil {
		statements = append(statements, s.takeLease(*change.Lease, change.At, &leased))
	}
	err := s.carryOut(ctx, statements)
	for tries := 1; errors.Is(err, errOutnumbered) && tries < countRetries; tries++ {
		err = s.carryOut(ctx, statements) // each time another text got through, so it ends at the limit
	}
	limit := (*problem.LimitError)(nil)
	switch {
	case err == nil:
		for _, notice := range withheld {
			change.Withhold(notice)
		}
		if _, ok := along(change); ok {
			change.Along.Done = true
		}
		if change.Release != nil {
			s.left.Remove(change.Release.IdentityID)
		}
		if leased {
			s.remember(*change.Lease)
			change.Leased()
		}
		return nil
	case errors.Is(err, claim.ErrConcurrentUpdate), errors.As(err, &limit):
		return err
	case errors.Is(err, errOutnumbered):
		return claim.ErrConcurrentUpdate
	case errors.Is(err, errTaken), errors.Is(err, errFull):
		return s.explain(ctx, change, err)
	default:
		return s.db.Classify(err)
	}
}

// countRetries bounds how often one text gives way to others of its number or
// its address.
const countRetries = 100

// carryOut runs statements, all or none.
func (s *Store) carryOut(ctx context.Context, statements []statement) error {
	if len(statements) == 1 {
		return s.db.Write(ctx, "commit", "claims", statements[0])
	}
	return s.db.Together(ctx, "commit", "claims", func(tx *gorm.DB) error {
		for _, run := range statements {
			if err := run(tx); err != nil {
				return err
			}
		}
		return nil
	})
}

// plan lists a change's statements. Moves come first, so that they can make room
// for the created claim. The notices that find no room are in withheld afterwards.
func plan(change claim.Change, withheld *[]message.Text) []statement {
	var statements []statement
	for _, move := range change.Transitions {
		statements = append(statements, updateClaim(move))
		if move.EraseIdentity {
			statements = append(statements, blankNumbers(move.Claim.IdentityID))
		}
	}
	if change.Raise != nil {
		statements = append(statements, raiseAlarm(*change.Raise))
	}
	for _, alarm := range change.Alarms {
		statements = append(statements, updateAlarm(alarm))
	}
	if change.Create != nil {
		statements = append(statements, insertClaim(change))
	}
	if change.Text != nil {
		statements = append(statements, insertText(change))
	}
	if len(change.Notices) > 0 {
		statements = append(statements, insertNotices(change, withheld))
	}
	if len(change.Events) > 0 || len(change.Notices) > 0 {
		statements = append(statements, func(tx *gorm.DB) error {
			events := change.Events
			for _, notice := range *withheld {
				events = append(events[:len(events):len(events)], claim.NoticeWithheldEvent(notice, change.At))
			}
			if len(events) == 0 {
				return nil
			}
			return insert(tx, newEventRows(events)...)
		})
	}
	if write, ok := along(change); ok {
		statements = append(statements, write)
	}
	if change.Text != nil && change.Limits.PerCodeHour > 0 {
		// Last, because until the transaction ends nobody else can take for the code.
		statements = append(statements,
			takeBudget(budgetName(change.Text.To), budgetOf(change.Limits), change.At, claim.ErrCallingCodeFull))
	}
	return statements
}

// along returns what another store of this database has written with a change.
func along(change claim.Change) (statement, bool) {
	if change.Along == nil {
		return nil, false
	}
	write, ok := change.Along.Write.(func(*gorm.DB) error)
	return write, ok
}

func updateClaim(m claim.Transition) statement {
	return func(tx *gorm.DB) error {
		set, where := moved(m), "id = ? AND state = ? AND version = ?"
		values := []any{m.Claim.ID, string(m.From), m.Claim.Version}
		if m.Try > 0 {
			set = append(set, assignment{"attempts", expression("attempts + 1")})
			where, values = where+" AND code_number = ? AND attempts < ?", append(values, m.Claim.CodeNumber, m.Try)
		}
		changed, err := update(tx, "claims", set, where, values...)
		if errors.Is(err, gorm.ErrDuplicatedKey) || err == nil && changed == 0 {
			return claim.ErrConcurrentUpdate
		}
		return err
	}
}

// blankNumbers blanks the numbers of an identity that is gone, and forgets what it was found by.
func blankNumbers(identityID string) statement {
	return func(tx *gorm.DB) error {
		if err := deletePerson(tx, identityID); err != nil {
			return err
		}
		err := tx.Model(&claimRow{}).Where("identity_id = ?", identityID).
			UpdateColumns(map[string]any{"number": "", "was": ""}).Error
		if err != nil {
			return err
		}
		err = tx.Model(&alarmRow{}).Where("identity_id = ?", identityID).
			UpdateColumns(map[string]any{"number": "", "was": "", "address": ""}).Error
		if err != nil {
			return err
		}
		return tx.Model(&textRow{}).Where("identity_id = ?", identityID).
			UpdateColumns(map[string]any{"number": "", "number_key": "", "number_seq": nil}).Error
	}
}

func insertClaim(change claim.Change) statement {
	return func(tx *gorm.DB) error {
		row := newClaimRow(*change.Create)
		var rules []rule
		if change.Text == nil {
			rules = append(rulesOf(change), firstOnly(change)...)
		}
		for i := range rules {
			rules[i].sequence = "" // a claim is no text, and is not numbered
		}
		err := insertWithin(tx, row, rules, guardsOf(change)...)
		if errors.Is(err, gorm.ErrDuplicatedKey) {
			return errTaken
		}
		return err
	}
}

func insertText(change claim.Change) statement {
	return func(tx *gorm.DB) error {
		return insertWithin(tx, newTextRow(*change.Text), append(rulesOf(change), firstOnly(change)...), guardsOf(change)...)
	}
}

// insertNotices queues notices. Those that their limit has no room for are withheld
// instead: they must not undo what they are about.
func insertNotices(change claim.Change, withheld *[]message.Text) statement {
	return func(tx *gorm.DB) error {
		*withheld = nil
		var free []message.Text
		for _, notice := range change.Notices {
			rules := noticeRules(notice, change.Limits, change.At)
			if len(rules) == 0 {
				free = append(free, notice)
				continue
			}
			err := insertWithin(tx, newTextRow(notice), rules)
			if errors.Is(err, errFull) {
				*withheld = append(*withheld, notice)
			} else if err != nil {
				return err
			}
		}
		if len(free) == 0 {
			return nil
		}
		return insert(tx, newTextRows(free)...)
	}
}

// explain finds out, off the usual path, why a change was refused.
func (s *Store) explain(ctx context.Context, change claim.Change, refusal error) error {
	if change.Create != nil {
		exists, err := s.exists(ctx, change.Create.ID)
		if err != nil {
			return err
		}
		if exists {
			return claim.ErrExists
		}
	}
	if errors.Is(refusal, errTaken) {
		return claim.ErrConcurrentUpdate
	}
	if err := s.guarded(ctx, change); err != nil {
		return err
	}
	if until, name, err := s.fullUntil(ctx, rulesOf(change)); err != nil {
		return err
	} else if !until.IsZero() {
		return &problem.LimitError{Reason: claim.ErrTooManyTexts, Until: until, Name: name}
	}
	if until, _, err := s.fullUntil(ctx, firstOnly(change)); err != nil {
		return err
	} else if !until.IsZero() {
		return claim.ErrTextedBefore
	}
	return claim.ErrConcurrentUpdate // there is room again already
}

func (s *Store) exists(ctx context.Context, claimID string) (bool, error) {
	var n int64
	err := s.db.Read(ctx, "exists", "claims", func(tx *gorm.DB) error {
		return tx.Model(&claimRow{}).Where("id = ?", claimID).Count(&n).Error
	})
	return n > 0, err
}

// Try implements [claim.Claims].
func (s *Store) Try(ctx context.Context, ref otp.CodeRef, limit int) error {
	var counted int64
	err := s.db.Write(ctx, "try", "claims", func(tx *gorm.DB) (err error) {
		counted, err = update(tx, "claims", []assignment{{"attempts", expression("attempts + 1")}},
			"id = ? AND code_number = ? AND attempts < ? AND state IN (?, ?)",
			ref.ClaimID, ref.Number, limit, string(claim.Open), string(claim.Verified))
		return err
	})
	if err != nil {
		return s.db.Classify(err)
	}
	if counted == 0 {
		return claim.ErrConcurrentUpdate
	}
	return nil
}

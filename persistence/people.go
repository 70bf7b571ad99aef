package persistence

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"slices"
	"strings"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/holdline/holdline/internal/claim"
	"github.com/holdline/holdline/internal/people"
	"github.com/holdline/holdline/internal/phone"
	"github.com/holdline/holdline/persistence/database"
)

// People implements [people.Index]. People have numbers of their own, so that their many
// terms take little room.
type People struct{ db *database.DB }

var (
	_ people.Index  = People{}
	_ people.Claims = (*Store)(nil)
)

// NewPeople returns the index of a database whose schema is up to date.
func NewPeople(db *database.DB) People { return People{db} }

// personRow is a line of the table people.
type personRow struct {
	Place      int64 `gorm:"primaryKey;autoIncrement:false"`
	IdentityID string
	Terms      string // separated by line feeds, which no term has
	NumberKey  string
	SeenAt     database.Time
}

// TableName implements gorm's Tabler.
func (personRow) TableName() string { return "people" }

// termRow is a line of the table people_terms. Terms are bytes: no collation may take two of
// them for one.
type termRow struct {
	Term  []byte
	Place int64
}

// TableName implements gorm's Tabler.
func (termRow) TableName() string { return "people_terms" }

// neverSeen stands for no moment, which databases would sort in different places.
var neverSeen = time.Unix(0, 0).UTC()

func newPersonRow(e people.Entry) personRow {
	seen := e.SeenAt
	if seen.IsZero() {
		seen = neverSeen
	}
	sum := sha256.Sum256([]byte(e.IdentityID))
	return personRow{
		Place: int64(binary.BigEndian.Uint64(sum[:8]) >> 1), IdentityID: e.IdentityID,
		Terms: strings.Join(e.Terms, "\n"), NumberKey: e.Key, SeenAt: database.Time(seen),
	}
}

func (r personRow) entry() people.Entry {
	e := people.Entry{IdentityID: r.IdentityID, Terms: r.terms(), Key: r.NumberKey, SeenAt: time.Time(r.SeenAt)}
	if e.SeenAt.Equal(neverSeen) {
		e.SeenAt = time.Time{}
	}
	return e
}

func (r personRow) terms() []string {
	if r.Terms == "" {
		return nil
	}
	return strings.Split(r.Terms, "\n")
}

// lines are a row's lines of people_terms.
func (r personRow) lines(terms []string) []termRow {
	lines := make([]termRow, len(terms))
	for i, term := range terms {
		lines[i] = termRow{[]byte(term), r.Place}
	}
	return lines
}

// Put implements [people.Index].
func (p People) Put(ctx context.Context, e people.Entry) error {
	return p.db.Classify(p.db.Transaction(ctx, "put", "people", func(tx *gorm.DB) error { return putPerson(tx, newPersonRow(e)) }))
}

// putPerson writes a row, and of its terms those that changed. Who has written the row holds it to
// the end of the transaction.
func putPerson(tx *gorm.DB, row personRow) error {
	for {
		old, err := heldPerson(tx, row.IdentityID)
		if err != nil {
			return err
		}
		if old != nil {
			row.Place = old.Place
			return replacePerson(tx, *old, row)
		}
		added := tx.Clauses(clause.OnConflict{DoNothing: true}).Create(&row)
		switch {
		case added.Error != nil:
			return added.Error
		case added.RowsAffected > 0:
			return addTerms(tx, row, row.terms())
		}
		row.Place++ // another identity has the place, or has put this one just now
	}
}

// heldPerson reads a row for writing; nil for none.
func heldPerson(tx *gorm.DB, identityID string) (*personRow, error) {
	held := tx.Model(&personRow{}).Where("identity_id = ?", identityID).UpdateColumn("seen_at", gorm.Expr("seen_at"))
	if held.Error != nil {
		return nil, held.Error
	}
	var rows []personRow
	err := tx.Where("identity_id = ?", identityID).Limit(1).Find(&rows).Error
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	return &rows[0], nil
}

func replacePerson(tx *gorm.DB, old, row personRow) error {
	err := tx.Model(&personRow{}).Where("place = ?", row.Place).
		UpdateColumns(map[string]any{"terms": row.Terms, "number_key": row.NumberKey, "seen_at": row.SeenAt}).Error
	if err != nil {
		return err
	}
	before, after := old.terms(), row.terms()
	if err := deleteTerms(tx, row.Place, without(before, after)); err != nil {
		return err
	}
	return addTerms(tx, row, without(after, before))
}

// without returns what of sorted terms others lack.
func without(terms, others []string) []string {
	return slices.DeleteFunc(slices.Clone(terms), func(term string) bool {
		_, found := slices.BinarySearch(others, term)
		return found
	})
}

func addTerms(tx *gorm.DB, row personRow, terms []string) error {
	if len(terms) == 0 {
		return nil
	}
	lines := row.lines(terms)
	return tx.Clauses(clause.OnConflict{DoNothing: true}).Create(&lines).Error
}

func deleteTerms(tx *gorm.DB, place int64, terms []string) error {
	if len(terms) == 0 {
		return nil
	}
	lines := personRow{Place: place}.lines(terms)
	keys := make([][]byte, len(lines))
	for i, line := range lines {
		keys[i] = line.Term
	}
	return tx.Where("place = ? AND term IN ?", place, keys).Delete(&termRow{}).Error
}

// Delete implements [people.Index].
func (p People) Delete(ctx context.Context, identityID string) error {
	return p.db.Classify(p.db.Transaction(ctx, "delete", "people", func(tx *gorm.DB) error { return deletePerson(tx, identityID) }))
}

func deletePerson(tx *gorm.DB, identityID string) error {
	var rows []personRow
	if err := tx.Where("identity_id = ?", identityID).Limit(1).Find(&rows).Error; err != nil || len(rows) == 0 {
		return err
	}
	if err := deleteTerms(tx, rows[0].Place, rows[0].terms()); err != nil {
		return err
	}
	return tx.Where("place = ?", rows[0].Place).Delete(&personRow{}).Error
}

// Entries implements [people.Index].
func (p People) Entries(ctx context.Context, identityIDs []string) (map[string]people.Entry, error) {
	var rows []personRow
	err := p.db.Read(ctx, "entries", "people", func(tx *gorm.DB) error {
		rows = nil
		return tx.Where("identity_id IN ?", identityIDs).Find(&rows).Error
	})
	entries := make(map[string]people.Entry, len(rows))
	for _, row := range rows {
		entries[row.IdentityID] = row.entry()
	}
	return entries, err
}

// Outdated implements [people.Index]. Keys seldom change, so those are asked for by
// themselves, along their index.
func (p People) Outdated(ctx context.Context, before time.Time, key string, n int) ([]string, error) {
	var ids []string
	err := p.db.Read(ctx, "outdated", "people", func(tx *gorm.DB) error {
		ids = nil
		return tx.Model(&personRow{}).Where("seen_at < ?", database.Time(before)).Order("seen_at").Limit(n).Pluck("identity_id", &ids).Error
	})
	if err != nil || len(ids) > 0 {
		return ids, err
	}
	err = p.db.Read(ctx, "outdated", "people", func(tx *gorm.DB) error {
		ids = nil
		return tx.Model(&personRow{}).Where("number_key < ? OR number_key > ?", key, key).Limit(n).Pluck("identity_id", &ids).Error
	})
	return ids, err
}

// progressPeople names how far the index of people has come.
const progressPeople = "people"

// Reached implements [people.Index].
func (p People) Reached(ctx context.Context) (people.Place, error) {
	row, err := readProgress(ctx, p.db, progressPeople)
	return people.Place{At: time.Time(row.Moment), ID: row.RowID}, err
}

// Reach implements [people.Index].
func (p People) Reach(ctx context.Context, to people.Place) error {
	return writeProgress(ctx, p.db, progressRow{progressPeople, database.Time(to.At), to.ID})
}

// ClaimsFrom implements [people.Claims].
func (s *Store) ClaimsFrom(ctx context.Context, behind people.Place, before time.Time, n int) ([]claim.Claim, error) {
	p := page{table: "claims", index: "claims_newest"}
	p.and("created_at < ?", database.Time(before))
	if behind != (people.Place{}) {
		at := database.Time(behind.At)
		p.and("created_at >= ? AND (created_at > ? OR created_at = ? AND id > ?)", at, at, at, behind.ID)
	}
	var rows []claimRow
	err := s.find(ctx, &rows, p, "created_at, id", n)
	claims := make([]claim.Claim, len(rows))
	for i, row := range rows {
		claims[i] = row.claim()
	}
	return claims, err
}

// NumbersOf implements [people.Claims].
func (s *Store) NumbersOf(ctx context.Context, identityID string) ([]phone.Number, error) {
	var rows []struct{ Number, Was string }
	err := s.db.Read(ctx, "numbers", "claims", func(tx *gorm.DB) error {
		rows = nil
		return tx.Raw("SELECT DISTINCT number, was FROM claims WHERE identity_id = ?", identityID).Scan(&rows).Error
	})
	var numbers []phone.Number
	for _, row := range rows {
		for _, text := range []string{row.Number, row.Was} {
			if number := phone.FromStore(text); text != "" && !slices.Contains(numbers, number) {
				numbers = append(numbers, number)
			}
		}
	}
	return numbers, err
}

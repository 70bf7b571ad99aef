package persistence

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
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

const (
	// mostCandidates bounds how many people are read for one condition; a condition that
	// more people meet narrows nothing.
	mostCandidates = 20_000
	// fewCandidates are looked at one by one, rather than read for another condition.
	fewCandidates = 400
	// mostChecked bounds how many are looked at one by one.
	mostChecked = 4_000
)

// Search implements [people.Index]. Conditions are read along the primary key, one after
// another, and joined here: no planner decides what a search costs.
func (p People) Search(ctx context.Context, all []people.Match, limit int) (people.Found, error) {
	var candidates []int64
	narrowed, cut := false, false
	for _, m := range all {
		places, err := p.places(ctx, m)
		if err != nil {
			return people.Found{}, err
		}
		switch {
		case len(places) > mostCandidates:
			if candidates == nil {
				candidates, cut = places[:mostCandidates], true
			}
			continue
		case !narrowed:
			candidates, narrowed, cut = places, true, false
		default:
			candidates = intersection(candidates, places)
		}
		if len(candidates) <= fewCandidates {
			break
		}
	}
	found, err := p.check(ctx, candidates[:min(len(candidates), mostChecked)], all, limit)
	found.More = found.More || cut || len(candidates) > mostChecked
	return found, err
}

// places returns the people who meet a condition, sorted, and one more than mostCandidates if
// there are so many.
func (p People) places(ctx context.Context, m people.Match) ([]int64, error) {
	var where []string
	var args []any
	for _, term := range m.Terms {
		if m.Prefix {
			where, args = append(where, "term >= ? AND term < ?"), append(args, []byte(term), []byte(term+"\xff"))
		} else {
			where, args = append(where, "term = ?"), append(args, []byte(term))
		}
	}
	query := "SELECT place FROM people_terms WHERE " + strings.Join(where, " OR ") + " LIMIT ?"
	var places []int64
	err := p.db.Read(ctx, "search", "people_terms", func(tx *gorm.DB) error {
		places = nil
		return tx.Raw(query, append(args, mostCandidates+1)...).Scan(&places).Error
	})
	slices.Sort(places)
	if len(places) > mostCandidates {
		return places, err
	}
	return slices.Compact(places), err
}

// intersection returns what two sorted lists have in common.
func intersection(a, b []int64) []int64 {
	return slices.DeleteFunc(a, func(place int64) bool {
		_, found := slices.BinarySearch(b, place)
		return !found
	})
}

// check looks at candidates until limit of them were found to meet all conditions.
func (p People) check(ctx context.Context, candidates []int64, all []people.Match, limit int) (people.Found, error) {
	var found people.Found
	const batch = 200
	for places := range slices.Chunk(candidates, batch) {
		var rows []personRow
		err := p.db.Read(ctx, "search", "people", func(tx *gorm.DB) error {
			rows = nil
			return tx.Where("place IN ?", places).Find(&rows).Error
		})
		if err != nil {
			return found, err
		}
		slices.SortFunc(rows, func(a, b personRow) int { return strings.Compare(a.IdentityID, b.IdentityID) })
		for _, row := range rows {
			switch {
			case !row.entry().Meets(all):
			case len(found.IdentityIDs) == limit:
				found.More = true
				return found, nil
			default:
				found.IdentityIDs = append(found.IdentityIDs, row.IdentityID)
			}
		}
	}
	return found, nil
}

// progressRow is a line of the table progress.
type progressRow struct {
	Name   string `gorm:"primaryKey"`
	Moment database.Time
	RowID  string
}

// TableName implements gorm's Tabler.
func (progressRow) TableName() string { return "progress" }

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

func readProgress(ctx context.Context, db *database.DB, name string) (progressRow, error) {
	var row progressRow
	err := db.Read(ctx, "read progress", "progress", func(tx *gorm.DB) error {
		return tx.Where("name = ?", name).Limit(1).Find(&row).Error
	})
	return row, err
}

func writeProgress(ctx context.Context, db *database.DB, row progressRow) error {
	err := db.Write(ctx, "write progress", "progress", func(tx *gorm.DB) error {
		changed := tx.Model(&progressRow{}).Where("name = ?", row.Name).
			UpdateColumns(map[string]any{"moment": row.Moment, "row_id": row.RowID})
		if changed.Error != nil || changed.RowsAffected > 0 {
			return changed.Error
		}
		return tx.Create(&row).Error
	})
	if errors.Is(err, gorm.ErrDuplicatedKey) {
		return nil // as it was
	}
	return db.Classify(err)
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

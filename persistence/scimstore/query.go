package scimstore

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"gorm.io/gorm"

	"github.com/holdline/holdline/internal/scim"
)

// batchSize is how many documents one statement reads or compares.
const batchSize = 200

// Query implements [scim.Index]. Everything, and what an exact condition keeps in
// the index's order, comes as a page from the database. For anything else it looks
// at the documents that the condition keeps, up to the bound.
func (x *Index) Query(ctx context.Context, q scim.Query) (scim.Page, error) {
	q.Bound = cmp.Or(q.Bound, x.bound)
	if q.Walk != nil {
		return x.walked(ctx, q)
	}
	inOrder := q.SortBy == "" && q.SortKey == nil
	switch {
	case q.Matches == nil && inOrder:
		return x.everything(ctx, q)
	case q.Matches == nil && q.SortBy != "":
		return x.sorted(ctx, q)
	case q.Matches != nil && q.Exact && inOrder:
		page, agreed, err := x.kept(ctx, q)
		if err != nil || agreed {
			return page, err
		}
	}
	return x.examined(ctx, q)
}

func (x *Index) conditions(client string) conditions { return conditions{x.db.Dialect(), client} }

// everything answers with a page of all users.
func (x *Index) everything(ctx context.Context, q scim.Query) (scim.Page, error) {
	page, from, skip := scim.Page{}, int64(0), 0
	if q.Limit <= 0 || q.Offset == 0 {
		total, err := x.total(ctx)
		if err != nil {
			return page, err
		}
		page.Total = total
	} else {
		counts, err := x.counts(ctx)
		if err != nil {
			return page, err
		}
		for _, c := range counts {
			if page.Total <= q.Offset {
				from, skip = c.Bucket<<bucketBits, q.Offset-page.Total
			}
			page.Total += c.Users
		}
	}
	if q.Limit <= 0 || q.Offset >= page.Total {
		return page, nil
	}
	rows, err := x.rows(ctx, `SELECT place FROM scim_users WHERE place >= ? ORDER BY place LIMIT ? OFFSET ?`,
		from, q.Limit, skip)
	if err != nil {
		return scim.Page{}, err
	}
	page.Entries, err = entriesOf(rows, q.Client)
	return page, err
}

func (x *Index) counts(ctx context.Context) ([]countRow, error) {
	counts := make([]countRow, 0, buckets)
	err := x.db.Read(ctx, "count", "scim_counts", func(tx *gorm.DB) error {
		counts = counts[:0]
		return tx.Order("bucket").Find(&counts).Error
	})
	return counts, err
}

func (x *Index) total(ctx context.Context) (int, error) {
	var total int
	err := x.db.Read(ctx, "count", "scim_counts", func(tx *gorm.DB) error {
		return tx.Model(&countRow{}).Select("COALESCE(SUM(users), 0)").Scan(&total).Error
	})
	return total, err
}

// sorted answers with a page of all users in the order of an index.
func (x *Index) sorted(ctx context.Context, q scim.Query) (scim.Page, error) {
	total, err := x.total(ctx)
	if err != nil || q.Limit <= 0 || q.Offset >= total {
		return scim.Page{Total: total}, err
	}
	// Half of the pages are nearer to the other end.
	limit, offset, descending := min(q.Limit, total-q.Offset), q.Offset, q.Descending
	fromEnd := offset > total/2
	if fromEnd {
		offset, descending = total-q.Offset-limit, !descending
	}
	order := "value_key, place"
	if descending {
		order = "value_key DESC, place DESC"
	}
	var places []int64
	err = x.db.Read(ctx, "sort", "scim_values", func(tx *gorm.DB) error {
		return tx.Model(&valueRow{}).Where("path = ?", []byte(q.SortBy)).Order(order).
			Limit(limit).Offset(offset).Pluck("place", &places).Error
	})
	if err != nil {
		return scim.Page{}, err
	}
	if fromEnd {
		slices.Reverse(places)
	}
	entries, err := x.at(ctx, places, q.Client)
	return scim.Page{Total: total, Entries: entries}, err
}

// kept answers with a page of what a condition keeps, and reports whether the
// evaluator agrees with it.
func (x *Index) kept(ctx context.Context, q scim.Query) (page scim.Page, agreed bool, err error) {
	if q.Limit > 0 {
		keeping, args := x.conditions(q.Client).keeping(q.Condition)
		rows, err := x.rows(ctx, keeping+` ORDER BY place LIMIT ? OFFSET ?`, append(args, q.Limit, q.Offset)...)
		if err != nil {
			return page, false, err
		}
		if page.Entries, err = entriesOf(rows, q.Client); err != nil {
			return page, false, err
		}
	}
	for _, e := range page.Entries {
		document, err := documentOf(e, q.Client)
		if err != nil || !q.Matches(document) {
			return page, false, err
		}
	}
	page.Total = q.Offset + len(page.Entries)
	if n := len(page.Entries); n < q.Limit && (n > 0 || q.Offset == 0) {
		return page, true, nil // the last page says how many there are
	}
	page.Total, err = x.count(ctx, q)
	return page, err == nil, err
}

// count counts what an exact condition keeps.
func (x *Index) count(ctx context.Context, q scim.Query) (total int, err error) {
	counting, args := x.conditions(q.Client).counting(q.Condition)
	err = x.db.Read(ctx, "count", "scim_values", func(tx *gorm.DB) error {
		return tx.Raw(counting, args...).Scan(&total).Error
	})
	return total, err
}

// examined answers after looking at every document that the condition keeps.
func (x *Index) examined(ctx context.Context, q scim.Query) (scim.Page, error) {
	matches, few, err := x.matches(ctx, q)
	if err != nil {
		return scim.Page{}, err
	}
	page := scim.Page{Total: len(matches)}
	first := min(q.Offset, len(matches))
	var wanted []int64
	var rows []userRow
	for _, m := range matches[first:min(first+q.Limit, len(matches))] {
		wanted, rows = append(wanted, m.place), append(rows, m.row)
	}
	if few {
		page.Entries, err = entriesOf(rows, q.Client)
	} else {
		page.Entries, err = x.at(ctx, wanted, q.Client)
	}
	return page, err
}

// matching is a user whom a query matches.
type matching struct {
	key   string // that it is sorted by
	place int64
	row   userRow // while they are few
}

// matches returns what a query matches, sorted, and whether that has its rows.
func (x *Index) matches(ctx context.Context, q scim.Query) (matches []matching, few bool, err error) {
	places, err := x.candidates(ctx, q)
	if err != nil {
		return nil, false, err
	}
	few = len(places) <= batchSize
	for batch := range slices.Chunk(places, batchSize) {
		rows, err := x.rowsAt(ctx, batch)
		if err != nil {
			return nil, false, err
		}
		for _, row := range rows {
			key, ok, err := examine(row, q)
			if err != nil {
				return nil, false, err
			}
			if !ok {
				continue
			}
			m := matching{key: key, place: row.Place}
			if few {
				m.row = row
			}
			matches = append(matches, m)
		}
	}
	slices.SortFunc(matches, func(a, b matching) int {
		order := cmp.Or(strings.Compare(a.key, b.key), cmp.Compare(a.place, b.place))
		if q.Descending && q.SortKey != nil {
			return -order
		}
		return order
	})
	return matches, few, nil
}

// examine decides on one row and returns what it is sorted by.
func examine(row userRow, q scim.Query) (key string, matches bool, err error) {
	entry, err := row.entry(q.Client)
	if err != nil {
		return "", false, err
	}
	document, err := documentOf(entry, q.Client)
	if err != nil || q.Matches != nil && !q.Matches(document) {
		return "", false, err
	}
	if q.SortKey != nil {
		key = q.SortKey(document)
	}
	return key, true, nil
}

// candidates returns the places that a condition keeps, or refuses to when they
// are more than the bound.
func (x *Index) candidates(ctx context.Context, q scim.Query) ([]int64, error) {
	condition := q.Condition
	if q.Matches == nil {
		condition = scim.All{}
	}
	places, err := x.placesOf(ctx, condition, q.Client, q.Bound+1)
	if err == nil && len(places) > q.Bound {
		err = scim.Bad(scim.TooMany, fmt.Sprintf(
			"the answer needs more than %d users to be looked at: ask for less, by an indexed attribute", q.Bound))
	}
	return places, err
}

// shownColumns are what lists and their filters need of a user.
const shownColumns = `u.place, u.id, u.version, u.document, u.external_ids, u.updated_at, u.seen_at, ` + ungrouped

// ungrouped says of a line of scim_users, as u, that its user is in no group. It spares
// users without groups a question of its own.
const ungrouped = `NOT EXISTS (SELECT 1 FROM scim_members AS m WHERE m.user_id = u.id) AS ungrouped`

// placesOf returns the first n places that a condition keeps.
func (x *Index) placesOf(ctx context.Context, c scim.Condition, client string, n int) (places []int64, err error) {
	keeping, args := x.conditions(client).keeping(c)
	err = x.db.Read(ctx, "candidates", "scim_values", func(tx *gorm.DB) error {
		places = nil
		return tx.Raw(keeping+` ORDER BY place LIMIT ?`, append(args, n)...).Scan(&places).Error
	})
	return places, err
}

// rows reads the users at the places that a query selects.
func (x *Index) rows(ctx context.Context, selecting string, args ...any) ([]userRow, error) {
	var rows []userRow
	err := x.db.Read(ctx, "read", "scim_users", func(tx *gorm.DB) error {
		return tx.Raw(`SELECT `+shownColumns+`
			FROM (`+selecting+`) AS p JOIN scim_users AS u ON u.place = p.place ORDER BY p.place`, args...).Scan(&rows).Error
	})
	return rows, err
}

func (x *Index) rowsAt(ctx context.Context, places []int64) ([]userRow, error) {
	var rows []userRow
	if len(places) == 0 {
		return nil, nil
	}
	err := x.db.Read(ctx, "read", "scim_users", func(tx *gorm.DB) error {
		return tx.Raw(`SELECT `+shownColumns+` FROM scim_users AS u WHERE u.place IN ? ORDER BY u.place`, places).Scan(&rows).Error
	})
	return rows, err
}

// at returns the entries at some places, in their order.
func (x *Index) at(ctx context.Context, places []int64, client string) ([]scim.Entry, error) {
	var all []userRow
	for batch := range slices.Chunk(places, batchSize) {
		rows, err := x.rowsAt(ctx, batch)
		if err != nil {
			return nil, err
		}
		all = append(all, rows...)
	}
	order := make(map[int64]int, len(places))
	for i, place := range places {
		order[place] = i
	}
	slices.SortFunc(all, func(a, b userRow) int { return cmp.Compare(order[a.Place], order[b.Place]) })
	return entriesOf(all, client)
}

func entriesOf(rows []userRow, client string) ([]scim.Entry, error) {
	entries := make([]scim.Entry, 0, len(rows))
	for _, row := range rows {
		entry, err := row.entry(client)
		if err != nil {
			return nil, err
		}
		entries = append(entries, entry)
	}
	return entries, nil
}

package scimstore

import (
	"context"
	"fmt"
	"math"
	"slices"

	"gorm.io/gorm"

	"github.com/holdline/holdline/internal/scim"
)

// walked answers with a page by cursor.
func (x *Index) walked(ctx context.Context, q scim.Query) (scim.Page, error) {
	// A range of keys is found in another order than that of places, and would be found
	// anew for each page.
	if q.SortKey != nil || q.SortBy != "" || q.Exact && q.Matches != nil && !inOrder(q.Condition) {
		return x.walkSorted(ctx, q)
	}
	after, total := int64(math.MinInt64), unknown
	if q.Walk.After != "" {
		// A cursor of the release before has no total.
		if read, _ := fmt.Sscanf(q.Walk.After, "%d/%d", &after, &total); read == 0 {
			return scim.Page{}, scim.Bad(scim.InvalidCursor, "the cursor is none of this list")
		}
	}
	if q.Matches == nil {
		return x.walkEverybody(ctx, q, after)
	}
	return x.walkMatching(ctx, q, after, total)
}

// unknown is the total of a list that would need all its documents for it.
const unknown = -1

// behind is where a list in the order of places goes on. Its total is counted once.
func behind(place int64, total int) string { return fmt.Sprintf("%d/%d", place, total) }

func (x *Index) walkEverybody(ctx context.Context, q scim.Query, after int64) (scim.Page, error) {
	total, err := x.total(ctx)
	if err != nil {
		return scim.Page{}, err
	}
	rows, err := x.rows(ctx, `SELECT place FROM scim_users WHERE place > ? ORDER BY place LIMIT ?`, after, q.Limit+1)
	if err != nil {
		return scim.Page{}, err
	}
	page := scim.Page{Total: total}
	if len(rows) > q.Limit {
		rows = rows[:q.Limit]
		page.Next = behind(rows[q.Limit-1].Place, total)
	}
	page.Entries, err = entriesOf(rows, q.Client)
	return page, err
}

// walkMatching looks at what the condition keeps, in the order of places, until a page
// is full and there is somebody behind it, or enough were looked at.
func (x *Index) walkMatching(ctx context.Context, q scim.Query, after int64, total int) (scim.Page, error) {
	keeping, args := x.conditions(q.Client).keeping(q.Condition)
	var found []userRow
	page, step := scim.Page{Total: total}, walkStep
	next, goesOn := int64(0), false
	if q.Exact {
		step = q.Limit + 1
	}
	for seen, examined, over := after, 0, false; !over; {
		var places []int64
		err := x.db.Read(ctx, "walk", "scim_values", func(tx *gorm.DB) error {
			places = nil
			return tx.Raw(keeping+` WHERE place > ? ORDER BY place LIMIT ?`,
				append(args[:len(args):len(args)], seen, step)...).Scan(&places).Error
		})
		if err != nil {
			return scim.Page{}, err
		}
		for batch := range slices.Chunk(places, batchSize) {
			more, err := x.matchingAt(ctx, batch, q)
			if err != nil {
				return scim.Page{}, err
			}
			found, seen = append(found, more...), batch[len(batch)-1]
			examined += len(batch)
			if len(found) > q.Limit {
				break
			}
		}
		switch over = true; {
		case len(found) > q.Limit:
			found = found[:q.Limit]
			next, goesOn = found[q.Limit-1].Place, true
		case len(places) < step:
		case examined >= walkBound:
			next, goesOn = seen, true
		default:
			step, over = walkStep, false
		}
	}
	var err error
	if page.Entries, err = entriesOf(found, q.Client); err != nil {
		return page, err
	}
	switch {
	case after == math.MinInt64 && !goesOn:
		page.Total = len(found)
	case q.Exact && total == unknown:
		page.Total, err = x.count(ctx, q)
	}
	if goesOn {
		page.Next = behind(next, page.Total)
	}
	return page, err
}

// matchingAt returns those at some places whom a query matches.
func (x *Index) matchingAt(ctx context.Context, places []int64, q scim.Query) ([]userRow, error) {
	rows, err := x.rowsAt(ctx, places)
	if err != nil {
		return nil, err
	}
	var found []userRow
	for _, row := range rows {
		_, ok, err := examine(row, q)
		if err != nil {
			return nil, err
		}
		if ok {
			found = append(found, row)
		}
	}
	return found, nil
}

// walkSorted goes on in the order that the list had at its first page.
func (x *Index) walkSorted(ctx context.Context, q scim.Query) (page scim.Page, err error) {
	see := func(places []int64) ([]scim.Entry, error) {
		entries, err := x.at(ctx, places, q.Client)
		if err != nil || q.Matches == nil {
			return entries, err
		}
		var still []scim.Entry
		for _, e := range entries {
			document, err := documentOf(e, q.Client)
			if err != nil {
				return nil, err
			}
			if q.Matches(document) {
				still = append(still, e)
			}
		}
		return still, nil
	}
	if q.Walk.After == "" {
		places, err := x.sortedPlaces(ctx, q)
		if err != nil {
			return page, err
		}
		page.Total = len(places)
		page.Entries, page.Next, err = beginWalk(ctx, x.db, *q.Walk, places, q.Limit, see)
		return page, err
	}
	p, err := parsePosition(q.Walk.After)
	if err != nil {
		return page, err
	}
	page.Total = p.total
	page.Entries, page.Next, err = continueWalk(ctx, x.db, *q.Walk, p, q.Limit, see)
	return page, err
}

// sortedPlaces lists all that a query matches, in its order.
func (x *Index) sortedPlaces(ctx context.Context, q scim.Query) (places []int64, err error) {
	if q.Matches == nil && q.SortBy != "" {
		order := "value_key, place"
		if q.Descending {
			order = "value_key DESC, place DESC"
		}
		err := x.db.Read(ctx, "sort", "scim_values", func(tx *gorm.DB) error {
			places = nil
			return tx.Model(&valueRow{}).Where("path = ?", []byte(q.SortBy)).Order(order).Pluck("place", &places).Error
		})
		return places, err
	}
	if q.SortKey == nil && q.SortBy == "" {
		return x.placesOf(ctx, q.Condition, q.Client, math.MaxInt32)
	}
	found, _, err := x.matches(ctx, q)
	for _, m := range found {
		places = append(places, m.place)
	}
	return places, err
}

package persistence

import (
	"context"
	"slices"
	"strings"

	"gorm.io/gorm"

	"github.com/holdline/holdline/internal/people"
)

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

package scimstore

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"gorm.io/gorm"

	"github.com/holdline/holdline/internal/scim"
	"github.com/holdline/holdline/internal/scim/groups"
	"github.com/holdline/holdline/persistence/database"
)

// List implements [groups.Store]. What the database can decide and sort comes as a page
// from there; for anything else the groups that the condition keeps are looked at, up to
// the bound, without their members.
func (s *Groups) List(ctx context.Context, q groups.Query) (groups.Page, error) {
	keeping, args, exact := s.keeping(q)
	decided := q.Matches == nil || q.Exact && exact
	switch {
	case q.Walk != nil && q.SortKey == nil:
		return s.walkInOrder(ctx, q, keeping, args, decided)
	case q.Walk != nil:
		return s.walkSorted(ctx, q, keeping, args)
	case decided && (q.SortKey == nil || q.ByName):
		return s.page(ctx, q, keeping, args)
	}
	return s.examined(ctx, q, keeping, args)
}

// keeping writes a query's conditions in SQL, and reports whether that is all of them.
func (s *Groups) keeping(q groups.Query) (where string, args []any, exact bool) {
	where, args, exact = groupCondition(q.Condition, q.Client)
	if q.Member != "" {
		where += " AND g.place IN (SELECT group_place FROM scim_members WHERE user_id = ?)"
		args = append(args, q.Member)
	}
	return where, args, exact
}

// groupCondition writes a condition in SQL. Where it cannot, it keeps more, and says so.
func groupCondition(c scim.Condition, client string) (where string, args []any, exact bool) {
	switch c := c.(type) {
	case scim.And:
		return joined(c, client, " AND ")
	case scim.Or:
		if len(c) == 0 {
			return "1 = 0", nil, true
		}
		return joined(c, client, " OR ")
	case scim.Within:
		single := c.Single()
		switch {
		case c.Path == "displayName":
			return "g.name_key >= ? AND g.name_key < ?", []any{[]byte(c.Low), []byte(c.High)}, true
		case c.Path == "id" && single:
			return "g.id = ?", []any{database.Clip(c.Low, len(c.Low))}, true
		case c.Path == "externalId" && single:
			return "g.place IN (SELECT group_place FROM scim_group_external_ids WHERE client = ? AND external_key = ?)",
				[]any{database.Clip(client, clientWidth), []byte(c.Low)}, true
		case c.Path == "members.value" && single:
			return "g.place IN (SELECT group_place FROM scim_members WHERE user_id = ?)", []any{database.Clip(c.Low, len(c.Low))}, true
		}
		return "1 = 1", nil, false
	case scim.All, nil:
		return "1 = 1", nil, true
	default:
		return "1 = 1", nil, false
	}
}

func joined(parts []scim.Condition, client, word string) (where string, args []any, exact bool) {
	exact = true
	var texts []string
	for _, part := range parts {
		text, more, same := groupCondition(part, client)
		texts, args, exact = append(texts, "("+text+")"), append(args, more...), exact && same
	}
	return "(" + strings.Join(texts, word) + ")", args, exact
}

// page answers with what the database decides and sorts.
func (s *Groups) page(ctx context.Context, q groups.Query, keeping string, args []any) (page groups.Page, err error) {
	if page.Total, err = s.count(ctx, keeping, args); err != nil || q.Limit <= 0 || q.Offset >= page.Total {
		return page, err
	}
	order := "g.place"
	if q.ByName {
		order = "g.name_key"
		if q.Descending {
			order += " DESC"
		}
	}
	rows, err := s.rows(ctx, q.Client, keeping, args, order, q.Limit, q.Offset)
	for _, row := range rows {
		page.Groups = append(page.Groups, row.group())
	}
	return page, err
}

func (s *Groups) count(ctx context.Context, keeping string, args []any) (int, error) {
	var total int64
	err := s.db.Read(ctx, "count", "scim_groups", func(tx *gorm.DB) error {
		return tx.Table("scim_groups AS g").Where(keeping, args...).Count(&total).Error
	})
	return int(total), err
}

func (s *Groups) rows(ctx context.Context, client, keeping string, args []any, order string, limit, offset int) ([]shownRow, error) {
	var rows []shownRow
	err := s.db.Read(ctx, "list", "scim_groups", func(tx *gorm.DB) error {
		rows = nil
		return shownGroups(tx, client).Where(keeping, args...).Order(order).Limit(limit).Offset(offset).Find(&rows).Error
	})
	return rows, err
}

// examined answers after looking at every group that the condition keeps.
func (s *Groups) examined(ctx context.Context, q groups.Query, keeping string, args []any) (groups.Page, error) {
	found, err := s.matching(ctx, q, keeping, args)
	if err != nil {
		return groups.Page{}, err
	}
	page := groups.Page{Total: len(found)}
	first := min(q.Offset, len(found))
	for _, m := range found[first:min(first+max(q.Limit, 0), len(found))] {
		page.Groups = append(page.Groups, m.row.group())
	}
	return page, nil
}

// match is a group that a query matches, and what it is sorted by.
type match struct {
	key string
	row shownRow
}

// matching returns what a query matches, sorted.
func (s *Groups) matching(ctx context.Context, q groups.Query, keeping string, args []any) ([]match, error) {
	rows, err := s.rows(ctx, q.Client, keeping, args, "g.place", s.bound+1, 0)
	if err == nil && len(rows) > s.bound {
		err = scim.Bad(scim.TooMany, fmt.Sprintf("the answer needs more than %d groups to be looked at: ask for less, by displayName", s.bound))
	}
	if err != nil {
		return nil, err
	}
	members, err := s.mentioned(ctx, q.Mentioned)
	if err != nil {
		return nil, err
	}
	var found []match
	for _, row := range rows {
		document := row.group().Document()
		if list := members[row.Place]; list != nil {
			document[scim.MembersAttribute] = list
		}
		if q.Matches != nil && !q.Matches(document) {
			continue
		}
		m := match{row: row}
		if q.SortKey != nil {
			m.key = q.SortKey(document)
		}
		found = append(found, m)
	}
	slices.SortStableFunc(found, func(a, b match) int {
		order := cmp.Or(strings.Compare(a.key, b.key), cmp.Compare(a.row.Place, b.row.Place))
		if q.Descending && q.SortKey != nil {
			return -order
		}
		return order
	})
	return found, nil
}

// mentioned returns, by the place of a group, the members among some users.
func (s *Groups) mentioned(ctx context.Context, users []string) (map[int64][]any, error) {
	of := map[int64][]any{}
	users = slices.Clone(users)
	for i, user := range users {
		users[i] = database.Clip(user, len(user))
	}
	for batch := range slices.Chunk(users, batchSize) {
		var rows []memberRow
		err := s.db.Read(ctx, "mentioned", "scim_members", func(tx *gorm.DB) error {
			rows = nil
			return tx.Where("user_id IN ?", batch).Find(&rows).Error
		})
		if err != nil {
			return nil, err
		}
		for _, row := range rows {
			of[row.GroupPlace] = append(of[row.GroupPlace], map[string]any{"value": row.UserID, "type": "User"})
		}
	}
	return of, nil
}

// walkSorted goes on in the order that the list had at its first page. Groups are looked at
// up to the bound: of those there are thousands, where there are millions of users.
func (s *Groups) walkSorted(ctx context.Context, q groups.Query, keeping string, args []any) (groups.Page, error) {
	see := func(places []int64) ([]groups.Group, error) { return s.stillMatching(ctx, q, keeping, args, places) }
	if q.Walk.After == "" {
		found, err := s.matching(ctx, q, keeping, args)
		if err != nil {
			return groups.Page{}, err
		}
		places := make([]int64, len(found))
		for i, m := range found {
			places[i] = m.row.Place
		}
		page := groups.Page{Total: len(places)}
		page.Groups, page.Next, err = beginWalk(ctx, s.db, *q.Walk, places, q.Limit, see)
		return page, err
	}
	p, err := parsePosition(q.Walk.After)
	if err != nil {
		return groups.Page{}, err
	}
	page := groups.Page{Total: p.total}
	page.Groups, page.Next, err = continueWalk(ctx, s.db, *q.Walk, p, q.Limit, see)
	return page, err
}

// walkInOrder goes on behind the last place.
func (s *Groups) walkInOrder(ctx context.Context, q groups.Query, keeping string, args []any, decided bool) (groups.Page, error) {
	after := int64(math.MinInt64)
	if q.Walk.After != "" {
		var err error
		if after, err = strconv.ParseInt(q.Walk.After, 10, 64); err != nil {
			return groups.Page{}, scim.Bad(scim.InvalidCursor, "the cursor is none of this list")
		}
	}
	page := groups.Page{Total: -1}
	behind, from := keeping+" AND g.place > ?", append(args[:len(args):len(args)], after)
	var rows []shownRow
	var err error
	if decided {
		if page.Total, err = s.count(ctx, keeping, args); err != nil {
			return page, err
		}
		if rows, err = s.rows(ctx, q.Client, behind, from, "g.place", q.Limit+1, 0); err != nil {
			return page, err
		}
	} else {
		found, err := s.matching(ctx, q, behind, from)
		if err != nil {
			return page, err
		}
		if after == math.MinInt64 {
			page.Total = len(found)
		}
		for _, m := range found {
			rows = append(rows, m.row)
		}
	}
	for _, row := range rows[:min(q.Limit, len(rows))] {
		page.Groups = append(page.Groups, row.group())
	}
	if len(rows) > q.Limit {
		page.Next = strconv.FormatInt(rows[q.Limit-1].Place, 10)
	}
	return page, nil
}

// stillMatching returns, in the order of their places, the groups that still match.
func (s *Groups) stillMatching(ctx context.Context, q groups.Query, keeping string, args []any, places []int64) ([]groups.Group, error) {
	if len(places) == 0 {
		return nil, nil
	}
	found, err := s.matching(ctx, q, keeping+" AND g.place IN ?", append(args[:len(args):len(args)], places))
	if err != nil {
		return nil, err
	}
	at := map[int64]groups.Group{}
	for _, m := range found {
		at[m.row.Place] = m.row.group()
	}
	var still []groups.Group
	for _, place := range places {
		if g, ok := at[place]; ok {
			still = append(still, g)
		}
	}
	return still, nil
}

package scimstore

import (
	"context"
	"slices"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/holdline/holdline/internal/audit"
	"github.com/holdline/holdline/internal/scim/groups"
	"github.com/holdline/holdline/persistence/database"
)

// memberRow is a line of the table scim_members.
type memberRow struct {
	GroupPlace int64  `gorm:"primaryKey;autoIncrement:false"`
	UserID     string `gorm:"primaryKey"`
}

// TableName implements gorm's Tabler.
func (memberRow) TableName() string { return "scim_members" }

func addMembers(tx *gorm.DB, place int64, users []string) error {
	for batch := range slices.Chunk(users, batchSize) {
		rows := make([]memberRow, len(batch))
		for i, user := range batch {
			rows[i] = memberRow{place, user}
		}
		if err := tx.Clauses(clause.OnConflict{DoNothing: true}).Create(&rows).Error; err != nil {
			return err
		}
	}
	return nil
}

// changeMembers writes what becomes of a group's members, and returns who joined and
// who left. A *[scim.Error] refuses.
func changeMembers(tx *gorm.DB, place int64, m groups.Members) (joined, left []string, err error) {
	there := map[string]bool{}
	if m.Only {
		for after, more := "", true; more; {
			var page []string
			err := tx.Model(&memberRow{}).Where("group_place = ? AND user_id > ?", place, after).Order("user_id").
				Limit(memberPage).Pluck("user_id", &page).Error
			if err != nil {
				return nil, nil, err
			}
			for _, user := range page {
				there[user] = true
			}
			if more = len(page) == memberPage; more {
				after = page[len(page)-1]
			}
		}
		stays := map[string]bool{}
		for _, user := range m.Add {
			stays[user] = true
		}
		for user := range there {
			if !stays[user] {
				left = append(left, user)
			}
		}
		if len(left) > groups.MostMembers {
			return nil, nil, groups.ErrManyLeave
		}
		slices.Sort(left)
	} else {
		asked := slices.Concat(m.Add, m.Remove)
		for _, choice := range m.Chosen {
			asked = append(asked, choice.IDs...)
		}
		for batch := range slices.Chunk(asked, batchSize) {
			var found []string
			err := tx.Model(&memberRow{}).Where("group_place = ? AND user_id IN ?", place, batch).Pluck("user_id", &found).Error
			if err != nil {
				return nil, nil, err
			}
			for _, user := range found {
				there[user] = true
			}
		}
		for _, user := range m.Remove {
			if there[user] {
				left = append(left, user)
			}
		}
	}
	for _, choice := range m.Chosen {
		if !slices.ContainsFunc(choice.IDs, func(user string) bool { return there[user] }) {
			return nil, nil, choice.None
		}
	}
	for _, user := range m.Add {
		if !there[user] {
			joined = append(joined, user)
		}
	}
	switch {
	case m.Only && len(left) == len(there):
		err = tx.Where("group_place = ?", place).Delete(&memberRow{}).Error
	default:
		err = removeMembers(tx, place, left)
	}
	if err == nil {
		err = addMembers(tx, place, joined)
	}
	return joined, left, err
}

// memberPage is how many members one statement reads.
const memberPage = 1000

func removeMembers(tx *gorm.DB, place int64, users []string) error {
	for batch := range slices.Chunk(users, batchSize) {
		if err := tx.Where("group_place = ? AND user_id IN ?", place, batch).Delete(&memberRow{}).Error; err != nil {
			return err
		}
	}
	return nil
}

// Members implements [groups.Store].
func (s *Groups) Members(ctx context.Context, id, after string, n int) (members []string, next string, err error) {
	var page []string
	err = s.db.Read(ctx, "members", "scim_members", func(tx *gorm.DB) error {
		page = nil
		return tx.Model(&memberRow{}).Where("group_place = (SELECT place FROM scim_groups WHERE id = ?) AND user_id > ?", id, after).
			Order("user_id").Limit(n).Pluck("user_id", &page).Error
	})
	if err != nil || len(page) == 0 {
		return nil, "", err
	}
	if len(page) == n {
		next = page[n-1]
	}
	known, err := knownUsers(ctx, s.db, page)
	return slices.DeleteFunc(page, func(user string) bool { return !known[user] }), next, err
}

// knownUsers returns those of some ids that the index of users has.
func knownUsers(ctx context.Context, db *database.DB, ids []string) (map[string]bool, error) {
	known := make(map[string]bool, len(ids))
	for batch := range slices.Chunk(ids, memberPage) {
		var found []string
		err := db.Read(ctx, "known", "scim_users", func(tx *gorm.DB) error {
			found = nil
			return tx.Model(&userRow{}).Where("id IN ?", batch).Pluck("id", &found).Error
		})
		if err != nil {
			return nil, err
		}
		for _, id := range found {
			known[id] = true
		}
	}
	return known, nil
}

// membershipRow is a user's membership in a group that is there.
type membershipRow struct {
	UserID string
	Place  int64
	ID     string
	Name   string
}

// Of implements [groups.Store].
func (s *Groups) Of(ctx context.Context, users []string) (map[string][]groups.Membership, error) {
	of := map[string][]groups.Membership{}
	for batch := range slices.Chunk(users, batchSize) {
		var rows []membershipRow
		err := s.db.Read(ctx, "groups of users", "scim_members", func(tx *gorm.DB) (err error) {
			rows, err = memberships(tx, batch)
			return err
		})
		if err != nil {
			return nil, err
		}
		for _, row := range rows {
			of[row.UserID] = append(of[row.UserID], groups.Membership{GroupID: row.ID, Name: row.Name})
		}
	}
	return of, nil
}

func memberships(tx *gorm.DB, users []string) (rows []membershipRow, err error) {
	err = tx.Table("scim_members AS m").Select("m.user_id, g.place, g.id, g.name").
		Joins("JOIN scim_groups AS g ON g.place = m.group_place").
		Where("m.user_id IN ?", users).Order("g.name_key").Find(&rows).Error
	return rows, err
}

// Leave implements [groups.Store].
func (s *Groups) Leave(ctx context.Context, user string, now time.Time, line func(groups.Membership) audit.Event) error {
	return s.transaction(ctx, "leave", func(tx *gorm.DB, _ func(error) error) error {
		rows, err := memberships(tx, []string{user})
		if err != nil {
			return err
		}
		slices.SortFunc(rows, func(a, b membershipRow) int { return int(min(max(a.Place-b.Place, -1), 1)) }) // all lock in one order
		var lines []audit.Event
		for _, row := range rows {
			held := tx.Model(&groupRow{}).Where("place = ?", row.Place).UpdateColumns(map[string]any{
				"writes": gorm.Expr("writes + 1"), "version": gorm.Expr("version + 1"), "updated_at": database.Time(now),
			})
			if held.Error != nil {
				return held.Error
			}
			gone := tx.Where("group_place = ? AND user_id = ?", row.Place, user).Delete(&memberRow{})
			if gone.Error != nil {
				return gone.Error
			}
			if gone.RowsAffected > 0 {
				lines = append(lines, line(groups.Membership{GroupID: row.ID, Name: row.Name}))
			}
		}
		if err := tx.Where("user_id = ?", user).Delete(&memberRow{}).Error; err != nil { // of deleted groups
			return err
		}
		return s.record(tx, lines)
	})
}

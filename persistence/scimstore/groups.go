package scimstore

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/holdline/holdline/internal/audit"
	"github.com/holdline/holdline/internal/scim"
	"github.com/holdline/holdline/internal/scim/filter"
	"github.com/holdline/holdline/internal/scim/groups"
	"github.com/holdline/holdline/persistence/database"
)

// Groups implements [groups.Store].
//
// Whoever changes a group first updates its row, if only its writes, and so holds it to
// the end of the transaction: changes of one group come one after the other, whatever
// its members are.
type Groups struct {
	db       *database.DB
	indexing filter.Indexing
	bound    int
	record   Record
	shown    bool
}

var _ groups.Store = (*Groups)(nil)

// Record writes lines of the audit trail within a transaction.
type Record func(tx *gorm.DB, lines []audit.Event) error

// NewGroups returns the groups of a database whose schema is up to date. Shown says that
// identities show the names of their groups, so that each change of those is a task.
func NewGroups(db *database.DB, record Record, shown bool) *Groups {
	return &Groups{db: db, indexing: groups.Indexing(), bound: Bound, record: record, shown: shown}
}

// groupRow is a line of the table scim_groups.
type groupRow struct {
	Place     int64 `gorm:"primaryKey;autoIncrement:false"`
	ID        string
	Name      string
	NameKey   []byte
	Version   int64
	Writes    int64
	CreatedAt database.Time `gorm:"autoCreateTime:false"`
	UpdatedAt database.Time `gorm:"autoUpdateTime:false"`
}

// TableName implements gorm's Tabler.
func (groupRow) TableName() string { return "scim_groups" }

// memberRow is a line of the table scim_members.
type memberRow struct {
	GroupPlace int64  `gorm:"primaryKey;autoIncrement:false"`
	UserID     string `gorm:"primaryKey"`
}

// TableName implements gorm's Tabler.
func (memberRow) TableName() string { return "scim_members" }

// externalRow is a line of the table scim_group_external_ids.
type externalRow struct {
	Client      string `gorm:"primaryKey"`
	GroupPlace  int64  `gorm:"primaryKey;autoIncrement:false"`
	ExternalID  string
	ExternalKey []byte
}

// TableName implements gorm's Tabler.
func (externalRow) TableName() string { return "scim_group_external_ids" }

// shownRow is a group as a client sees it.
type shownRow struct {
	Place      int64
	ID         string
	Name       string
	Version    int64
	CreatedAt  database.Time `gorm:"autoCreateTime:false"`
	UpdatedAt  database.Time `gorm:"autoUpdateTime:false"`
	ExternalID *string
}

func (r shownRow) group() groups.Group {
	g := groups.Group{
		ID: r.ID, Name: r.Name, Version: r.Version, Created: time.Time(r.CreatedAt), Updated: time.Time(r.UpdatedAt),
	}
	if r.ExternalID != nil {
		g.ExternalID = *r.ExternalID
	}
	return g
}

// clientWidth is the width of the column client, in characters.
const clientWidth = 128

// nameKey is what a name is found and sorted by.
func (s *Groups) nameKey(name string) []byte {
	return []byte(s.indexing.Values(map[string]any{"displayName": name})["displayName"][0])
}

// placeOfGroup is where a group comes in lists: its id begins with the time at which it
// was made.
func placeOfGroup(id string) (int64, error) {
	parsed, err := uuid.Parse(id)
	if err != nil {
		return 0, fmt.Errorf("place a group: %w", err)
	}
	return int64(binary.BigEndian.Uint64(parsed[:8]) & (1<<63 - 1)), nil
}

// transaction runs statements. What refuses is returned as it is, and not taken for an
// error of the database.
func (s *Groups) transaction(ctx context.Context, operation string, statements func(tx *gorm.DB, refuse func(error) error) error) error {
	var refusal error
	refuse := func(err error) error { refusal = err; return err }
	err := s.db.Transaction(ctx, operation, "scim_groups", func(tx *gorm.DB) error {
		refusal = nil
		return statements(tx, refuse)
	})
	if err != nil && refusal != nil {
		return refusal
	}
	return s.db.Classify(err)
}

// Create implements [groups.Store].
func (s *Groups) Create(ctx context.Context, client string, g groups.Group, members []string, lines []audit.Event) error {
	place, err := placeOfGroup(g.ID)
	if err != nil {
		return err
	}
	row := groupRow{
		Place: place, ID: g.ID, Name: g.Name, NameKey: s.nameKey(g.Name), Version: g.Version, Writes: 1,
		CreatedAt: database.Time(g.Created), UpdatedAt: database.Time(g.Updated),
	}
	return s.transaction(ctx, "create", func(tx *gorm.DB, refuse func(error) error) error {
		for {
			added := tx.Clauses(clause.OnConflict{DoNothing: true}).Create(&row)
			if added.Error != nil {
				return added.Error
			}
			if added.RowsAffected > 0 {
				break
			}
			var same int64
			if err := tx.Model(&groupRow{}).Where("name_key = ?", row.NameKey).Count(&same).Error; err != nil {
				return err
			}
			if same > 0 {
				return refuse(groups.ErrNameTaken)
			}
			row.Place++ // another group has the place
		}
		if err := setExternalID(tx, client, row.Place, g.ExternalID); err != nil {
			return err
		}
		if err := addMembers(tx, row.Place, members); err != nil {
			return err
		}
		if err := s.show(tx, members); err != nil {
			return err
		}
		return s.record(tx, lines)
	})
}

func setExternalID(tx *gorm.DB, client string, place int64, id string) error {
	client = database.Clip(client, clientWidth)
	if client == "" {
		return nil
	}
	if err := tx.Where("client = ? AND group_place = ?", client, place).Delete(&externalRow{}).Error; err != nil || id == "" {
		return err
	}
	return tx.Create(&externalRow{client, place, id, []byte(scim.Key(id))}).Error
}

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

// shownGroups selects groups as a client sees them.
func shownGroups(tx *gorm.DB, client string) *gorm.DB {
	return tx.Table("scim_groups AS g").
		Select("g.place, g.id, g.name, g.version, g.created_at, g.updated_at, e.external_id").
		Joins("LEFT JOIN scim_group_external_ids AS e ON e.client = ? AND e.group_place = g.place", database.Clip(client, clientWidth))
}

// Find implements [groups.Store].
func (s *Groups) Find(ctx context.Context, client, id string) (groups.Group, error) {
	var rows []shownRow
	err := s.db.Read(ctx, "read", "scim_groups", func(tx *gorm.DB) error {
		return shownGroups(tx, client).Where("g.id = ?", id).Find(&rows).Error
	})
	if err != nil {
		return groups.Group{}, err
	}
	if len(rows) == 0 {
		return groups.Group{}, groups.ErrNoGroup
	}
	return rows[0].group(), nil
}

// hold updates a group's row, so that nobody else changes the group until the
// transaction ends, and reads it.
func hold(tx *gorm.DB, client, id string, refuse func(error) error) (shownRow, error) {
	held := tx.Model(&groupRow{}).Where("id = ?", id).UpdateColumn("writes", gorm.Expr("writes + 1"))
	if held.Error != nil {
		return shownRow{}, held.Error
	}
	if held.RowsAffected == 0 {
		return shownRow{}, refuse(groups.ErrNoGroup)
	}
	var row shownRow
	err := shownGroups(tx, client).Where("g.id = ?", id).Take(&row).Error
	return row, err
}

// Change implements [groups.Store].
func (s *Groups) Change(
	ctx context.Context, client, id string, now time.Time,
	edit func(groups.Group) (groups.Edit, error), lines func(groups.Done) []audit.Event,
) (groups.Group, error) {
	var done groups.Done
	err := s.transaction(ctx, "change", func(tx *gorm.DB, refuse func(error) error) error {
		row, err := hold(tx, client, id, refuse)
		if err != nil {
			return err
		}
		before := row.group()
		wanted, err := edit(before)
		if err != nil {
			return refuse(err)
		}
		done = groups.Done{Before: before, After: before}
		done.Joined, done.Left, err = changeMembers(tx, row.Place, wanted.Members)
		if errors.Is(err, groups.ErrManyLeave) {
			return refuse(err)
		}
		if err != nil {
			return err
		}
		external := client != "" && wanted.ExternalID != before.ExternalID
		if wanted.Name == before.Name && !external && len(done.Joined)+len(done.Left) == 0 {
			return nil
		}
		done.After.Version, done.After.Updated = before.Version+1, now
		done.After.Name, done.After.ExternalID = wanted.Name, wanted.ExternalID
		if external {
			if err := setExternalID(tx, client, row.Place, wanted.ExternalID); err != nil {
				return err
			}
		}
		err = tx.Model(&groupRow{}).Where("place = ?", row.Place).UpdateColumns(map[string]any{
			"name": wanted.Name, "name_key": s.nameKey(wanted.Name), "version": done.After.Version, "updated_at": database.Time(now),
		}).Error
		if errors.Is(err, gorm.ErrDuplicatedKey) {
			return refuse(groups.ErrNameTaken)
		}
		if err == nil {
			err = s.tell(tx, row.Place, done)
		}
		if err != nil {
			return err
		}
		return s.record(tx, lines(done))
	})
	return done.After, err
}

// changeMembers writes what becomes of a group's members, and returns who joined and
// who left.
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
		for batch := range slices.Chunk(slices.Concat(m.Add, m.Remove), batchSize) {
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

// Delete implements [groups.Store].
func (s *Groups) Delete(ctx context.Context, id string, wants func(groups.Group) error, line func(groups.Group) audit.Event) error {
	return s.transaction(ctx, "delete", func(tx *gorm.DB, refuse func(error) error) error {
		row, err := hold(tx, "", id, refuse)
		if err != nil {
			return err
		}
		if err := wants(row.group()); err != nil {
			return refuse(err)
		}
		if err := tx.Where("place = ?", row.Place).Delete(&groupRow{}).Error; err != nil {
			return err
		}
		if err := tx.Where("group_place = ?", row.Place).Delete(&externalRow{}).Error; err != nil {
			return err
		}
		if err := addGroupTask(tx, groupTask{GroupPlace: row.Place, Deleted: 1, Name: row.Name}); err != nil {
			return err
		}
		return s.record(tx, []audit.Event{line(row.group())})
	})
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

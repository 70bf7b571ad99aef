package scimstore

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
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
		if fault := (*scim.Error)(nil); errors.As(err, &fault) {
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

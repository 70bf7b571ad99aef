package scimstore

import (
	"bytes"
	"cmp"
	"context"
	"slices"
	"time"

	"gorm.io/gorm"

	"github.com/holdline/holdline/internal/scim"
	"github.com/holdline/holdline/persistence/database"
)

// Load fills an empty index with entries 0 to n, in the order of its tables.
func Load(ctx context.Context, db *database.DB, n int, entry func(i int) scim.Entry) error {
	type user struct {
		place int64
		i     int
	}
	users := make([]user, n)
	for i := range users {
		users[i] = user{placeOf(entry(i).ID), i}
	}
	slices.SortFunc(users, func(a, b user) int { return cmp.Compare(a.place, b.place) })
	counts := map[int64]int{}
	var values []valueRow
	for batch := range slices.Chunk(users, 500) {
		var rows []userRow
		for _, u := range batch {
			row, err := newUserRow(entry(u.i))
			if err != nil {
				return err
			}
			more, err := row.values()
			if err != nil {
				return err
			}
			rows, values = append(rows, row), append(values, more...)
			counts[bucketOf(row.Place)]++
		}
		if err := create(ctx, db, &rows); err != nil {
			return err
		}
	}
	slices.SortFunc(values, func(a, b valueRow) int {
		return cmp.Or(bytes.Compare(a.Path, b.Path), bytes.Compare(a.ValueKey, b.ValueKey), cmp.Compare(a.Place, b.Place))
	})
	for batch := range slices.Chunk(values, 2000) {
		if err := create(ctx, db, &batch); err != nil {
			return err
		}
	}
	for bucket, users := range counts {
		if err := create(ctx, db, &countRow{bucket, users}); err != nil {
			return err
		}
	}
	return nil
}

// TakePlace puts somebody in the place of an identity.
func TakePlace(ctx context.Context, db *database.DB, id string) error {
	return db.Transaction(ctx, "test", "", func(tx *gorm.DB) error {
		return tx.Create(&userRow{
			Place: placeOf(id), ID: "before " + id, Document: "{}", ExternalIDs: "{}", FoundBy: "{}",
			SeenAt: database.Time(time.Unix(0, 0)),
		}).Error
	})
}

// Get returns an entry, or false. It has the external id of the named client.
func (x *Index) Get(ctx context.Context, id, client string) (scim.Entry, bool, error) {
	var rows []userRow
	err := x.db.Read(ctx, "test", "", func(tx *gorm.DB) error { return tx.Where("id = ?", id).Find(&rows).Error })
	if err != nil || len(rows) == 0 {
		return scim.Entry{}, false, err
	}
	entry, err := rows[0].entry(client)
	return entry, err == nil, err
}

func create(ctx context.Context, db *database.DB, rows any) error {
	return db.Transaction(ctx, "test", "", func(tx *gorm.DB) error { return tx.Create(rows).Error })
}

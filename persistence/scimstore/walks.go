package scimstore

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"slices"
	"time"

	"gorm.io/gorm"

	"github.com/holdline/holdline/internal/scim"
	"github.com/holdline/holdline/persistence/database"
)

// A list in the store's own order goes on behind the last place, which no resource ever
// changes. In another order a resource may move while the list is read, and would be
// seen twice or never. So the places of such a list are kept, as they were at the first
// page, until its cursors expire.

// walkRow is a line of the table scim_walks.
type walkRow struct {
	ID     string `gorm:"primaryKey"`
	Part   int    `gorm:"primaryKey;autoIncrement:false"`
	Reader string
	Places []byte
	EndsAt database.Time
}

// TableName implements gorm's Tabler.
func (walkRow) TableName() string { return "scim_walks" }

const (
	// partSize is how many places a row has.
	partSize = 8192
	// mostWalks is how many lists are kept for one reader; the oldest goes first.
	mostWalks = 20
	// walkBound is how many documents a page looks at for a filter that the database
	// does not decide. If they do not suffice the page is short.
	walkBound = 20_000
	// walkStep is how many of them are found at a time.
	walkStep = 1000
)

// position is where a list that is kept goes on.
type position struct {
	walk        string
	next, total int
}

func (p position) String() string { return fmt.Sprintf("%s %d %d", p.walk, p.next, p.total) }

func parsePosition(text string) (p position, err error) {
	if _, err := fmt.Sscanf(text, "%s %d %d", &p.walk, &p.next, &p.total); err != nil {
		return p, scim.Bad(scim.InvalidCursor, "the cursor is none of this list")
	}
	return p, nil
}

// digest is who reads, in the column's width.
func digest(reader string) string {
	sum := sha256.Sum256([]byte(reader))
	return hex.EncodeToString(sum[:])
}

// beginWalk returns a list's first page, and keeps the list if there is more of it. See
// reads those resources at some places that are still there and still match.
func beginWalk[R any](
	ctx context.Context, db *database.DB, w scim.Walk, places []int64, limit int, see func(places []int64) ([]R, error),
) (page []R, next string, err error) {
	page, err = see(places[:min(limit, len(places))])
	if err != nil || len(places) <= limit {
		return page, "", err
	}
	p := position{walk: rand.Text(), next: limit, total: len(places)}
	reader := digest(w.Reader)
	err = db.Transaction(ctx, "begin", "scim_walks", func(tx *gorm.DB) error {
		var others []string
		err := tx.Model(&walkRow{}).Where("reader = ? AND part = 0", reader).Order("ends_at DESC").
			Offset(mostWalks-1).Limit(mostWalks).Pluck("id", &others).Error
		if err == nil && len(others) > 0 {
			err = tx.Where("id IN ?", others).Delete(&walkRow{}).Error
		}
		if err != nil {
			return err
		}
		part := 0
		for batch := range slices.Chunk(places, partSize) {
			row := walkRow{ID: p.walk, Part: part, Reader: reader, EndsAt: database.Time(w.Until)}
			for _, place := range batch {
				row.Places = binary.BigEndian.AppendUint64(row.Places, uint64(place)) //nolint:gosec // as it is
			}
			if err := tx.Create(&row).Error; err != nil {
				return err
			}
			part++
		}
		return nil
	})
	return page, p.String(), db.Classify(err)
}

// goOn reads at most n places of a list that is kept, and keeps it for longer. The error
// is an [*scim.Error] with expiredCursor if it is not kept any more.
func goOn(ctx context.Context, db *database.DB, w scim.Walk, p position, n int) ([]int64, error) {
	var rows []walkRow
	err := db.Read(ctx, "go on", "scim_walks", func(tx *gorm.DB) error {
		rows = nil
		return tx.Where("id = ? AND part = ? AND ends_at > ?", p.walk, p.next/partSize, database.Time(w.Now)).Find(&rows).Error
	})
	if err != nil {
		return nil, err
	}
	if len(rows) == 0 {
		return nil, scim.Bad(scim.ExpiredCursor, "the cursor has expired: begin with the first page again")
	}
	row := rows[0]
	if half := w.Until.Sub(w.Now) / 2; time.Time(row.EndsAt).Sub(w.Now) < half {
		err := db.Write(ctx, "keep", "scim_walks", func(tx *gorm.DB) error {
			return tx.Model(&walkRow{}).Where("id = ?", p.walk).UpdateColumn("ends_at", database.Time(w.Until)).Error
		})
		if err != nil {
			return nil, db.Classify(err)
		}
	}
	var places []int64
	for at := p.next % partSize * 8; at+8 <= len(row.Places) && len(places) < n; at += 8 {
		places = append(places, int64(binary.BigEndian.Uint64(row.Places[at:]))) //nolint:gosec // as it is
	}
	return places, nil
}

// PruneWalks forgets lists whose cursors have expired.
func (x *Index) PruneWalks(ctx context.Context, now time.Time) error {
	return x.db.Classify(x.db.Write(ctx, "prune", "scim_walks", func(tx *gorm.DB) error {
		return tx.Where("ends_at <= ?", database.Time(now)).Delete(&walkRow{}).Error
	}))
}

// continueWalk reads a list that is kept until a page is full or the list is over.
func continueWalk[R any](
	ctx context.Context, db *database.DB, w scim.Walk, p position, limit int, see func(places []int64) ([]R, error),
) (page []R, next string, err error) {
	for len(page) < limit && p.next < p.total {
		places, err := goOn(ctx, db, w, p, limit-len(page))
		if err != nil {
			return nil, "", err
		}
		seen, err := see(places)
		if err != nil {
			return nil, "", err
		}
		page = append(page, seen...)
		if p.next += len(places); len(places) == 0 {
			break
		}
	}
	if p.next < p.total {
		next = p.String()
	}
	return page, next, nil
}

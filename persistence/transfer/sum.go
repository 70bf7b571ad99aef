package transfer

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"time"

	"github.com/holdline/holdline/persistence/database"
)

// sum stands for the rows of a table, whatever their order: how many there are, and the
// sum of their SHA-256, in four lanes.
type sum struct {
	rows   int64
	lanes  [4]uint64
	mended int64 // of them, with texts that not every database takes
}

// same reports whether two sums stand for the same rows.
func (s sum) same(other sum) bool { return s.rows == other.rows && s.lanes == other.lanes }

func (s *sum) add(r row) {
	r, mended := r.repaired()
	if mended {
		s.mended++
	}
	digest := r.digest()
	for i := range s.lanes {
		s.lanes[i] += binary.BigEndian.Uint64(digest[8*i:])
	}
	s.rows++
}

// digest is the same for the same row in every database.
func (r row) digest() [sha256.Size]byte {
	var content []byte
	part := func(kind byte, value []byte) {
		content = binary.AppendUvarint(append(content, kind), uint64(len(value)))
		content = append(content, value...)
	}
	integer := func(n int64) []byte { return binary.AppendVarint(nil, n) }
	for _, v := range r {
		switch v := v.(type) {
		case nil:
			part('0', nil)
		case string:
			part('s', []byte(v))
		case int64:
			part('n', integer(v))
		case bool:
			part('b', map[bool][]byte{true: {1}, false: {0}}[v])
		case time.Time:
			part('t', integer(v.UnixMicro()))
		case []byte:
			part('x', v)
		}
	}
	return sha256.Sum256(content)
}

// errPassedOver is a table whose rows were not all found by their keys.
var errPassedOver = errors.New("it has other rows than are found by their keys: somebody writes, or the database is damaged")

// sumOf reads a whole table.
func (t table) sumOf(ctx context.Context, db *database.DB, rows int) (s sum, err error) {
	page, err := t.page(ctx, db, nil, rows, pageBytes)
	for ; err == nil && len(page) > 0; page, err = t.page(ctx, db, page[len(page)-1], rows, pageBytes) {
		for _, r := range page {
			s.add(r)
		}
	}
	if err != nil {
		return s, err
	}
	counted, err := t.count(ctx, db)
	if err == nil && counted != s.rows {
		err = errPassedOver
	}
	return s, err
}

package scimstore

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/holdline/holdline/internal/scim"
	"github.com/holdline/holdline/persistence/database"
)

// userRow is a line of the table scim_users.
type userRow struct {
	Place       int64 `gorm:"primaryKey;autoIncrement:false"`
	ID          string
	Version     string
	Document    string
	ExternalIDs string `gorm:"column:external_ids"`
	FoundBy     string
	UpdatedAt   database.Time `gorm:"autoUpdateTime:false"`
	SeenAt      database.Time
	Writes      int64
	Ungrouped   bool `gorm:"->"` // no column: looked up where users are shown
}

// TableName implements gorm's Tabler.
func (userRow) TableName() string { return "scim_users" }

// valueRow is a line of the table scim_values. Keys are bytes: no collation may
// take two of them for one.
type valueRow struct {
	Path     []byte
	ValueKey []byte
	Place    int64
}

// TableName implements gorm's Tabler.
func (valueRow) TableName() string { return "scim_values" }

// The widths of columns that hold texts from outside, in characters.
const (
	versionWidth = 64
	pathWidth    = 128
)

const (
	// buckets share the users of scim_counts among them, so that writers seldom
	// meet on one, and a page's place is found among few.
	buckets    = 1024
	bucketBits = 53
)

// placeOf is where an identity comes in lists. A hash spreads any kind of id
// evenly over the buckets.
func placeOf(id string) int64 {
	sum := sha256.Sum256([]byte(id))
	return int64(binary.BigEndian.Uint64(sum[:8]) >> 1) // 63 bits
}

func bucketOf(place int64) int64 { return place >> bucketBits }

// externalPath is where the values of a client's externalId are.
func externalPath(client string) string { return database.Clip("externalId "+client, pathWidth) }

func newUserRow(e scim.Entry) (userRow, error) {
	external, err := json.Marshal(maps.Collect(maps.All(e.ExternalIDs))) // {} rather than null
	if err != nil {
		return userRow{}, fmt.Errorf("write external ids: %w", err)
	}
	foundBy, err := json.Marshal(foundBy(e))
	if err != nil {
		return userRow{}, fmt.Errorf("write keys: %w", err)
	}
	return userRow{
		Place: placeOf(e.ID), ID: e.ID, Version: database.Clip(e.Version, versionWidth), Document: string(e.Document),
		ExternalIDs: string(external), FoundBy: string(foundBy),
		UpdatedAt: database.Time(e.Updated), SeenAt: database.Time(e.Seen), Writes: 1,
	}, nil
}

// foundBy lists what an entry is found by: keys by path, sorted, as bytes because
// keys need not be text.
func foundBy(e scim.Entry) map[string][][]byte {
	all := map[string][][]byte{}
	add := func(path, key string) { all[path] = append(all[path], []byte(key)) }
	for path, keys := range e.Values {
		for _, key := range slices.Compact(slices.Sorted(slices.Values(keys))) {
			add(path, key)
		}
	}
	for client, id := range e.ExternalIDs {
		add(externalPath(client), scim.Key(id))
	}
	return all
}

// values lists a row's lines of scim_values, those of the primary key's order
// first, so that writers lock in one order.
func (r userRow) values() ([]valueRow, error) {
	var all map[string][][]byte
	if err := json.Unmarshal([]byte(r.FoundBy), &all); err != nil {
		return nil, fmt.Errorf("read keys: %w", err)
	}
	var values []valueRow
	for _, path := range slices.Sorted(maps.Keys(all)) {
		for _, key := range all[path] {
			values = append(values, valueRow{[]byte(path), key, r.Place})
		}
	}
	return values, nil
}

// entry converts a row; client says whose external id it needs.
func (r userRow) entry(client string) (scim.Entry, error) {
	var external map[string]string
	if err := json.Unmarshal([]byte(r.ExternalIDs), &external); err != nil {
		return scim.Entry{}, fmt.Errorf("read external ids: %w", err)
	}
	maps.DeleteFunc(external, func(of, _ string) bool { return of != client })
	return scim.Entry{
		ID: r.ID, Version: r.Version, Document: json.RawMessage(r.Document), ExternalIDs: external,
		Updated: time.Time(r.UpdatedAt), Seen: time.Time(r.SeenAt), Ungrouped: r.Ungrouped,
	}, nil
}

// documentOf decodes an entry for the evaluator, as the client sees it.
func documentOf(e scim.Entry, client string) (map[string]any, error) {
	decoder := json.NewDecoder(strings.NewReader(string(e.Document)))
	decoder.UseNumber()
	var document map[string]any
	if err := decoder.Decode(&document); err != nil {
		return nil, fmt.Errorf("read document: %w", err)
	}
	if id, ok := e.ExternalIDs[client]; ok && document != nil {
		document["externalId"] = id
	}
	return document, nil
}

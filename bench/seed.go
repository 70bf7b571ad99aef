package main

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-sql-driver/mysql"
	"golang.org/x/sync/errgroup"

	"github.com/holdline/holdline/bench/double"
	"github.com/holdline/holdline/internal/scim"
	"github.com/holdline/holdline/internal/scim/mapping"
	"github.com/holdline/holdline/internal/scim/users"
)

// seeder fills an empty index of users as a reconciler's first pass would, but by
// files and not one by one. What users look like comes from package users; the
// columns are those that package persistence writes, which a test compares.
type seeder struct {
	users *users.Service
	seen  time.Time
}

// seedBatch is how many users one file has.
const seedBatch = 2000

// notYet is the index of which everything is to be made.
type notYet struct{ scim.Index }

// Stamps implements [scim.Index].
func (notYet) Stamps(context.Context, []string) (map[string]scim.Stamp, error) { return nil, nil } //nolint:nilnil // of nobody

// newSeeder returns one for the people whose schemas these are.
func newSeeder(schemas users.Schemas, seen time.Time) *seeder {
	now := func() time.Time { return seen }
	resource := scim.User(scim.Enterprise())
	catalogue := users.NewCatalogue(users.CatalogueOptions{
		Schemas: schemas, Now: now,
		Mapping: mapping.Options{Resource: resource, MobileTrait: "mobile", PendingKey: "pendingMobileNumber"},
	})
	return &seeder{users.NewService(users.Options{
		Index: notYet{}, Catalogue: catalogue, Resource: resource,
		MobileTrait: "mobile", PendingKey: "pendingMobileNumber", Now: now,
	}), seen}
}

// entries are the users of these numbers.
func (s *seeder) entries(ctx context.Context, numbers []int) ([]scim.Entry, error) {
	records := make([]scim.Record, len(numbers))
	for i, n := range numbers {
		m := double.NewMember(n)
		records[i] = scim.Record{
			ID: m.ID, SchemaID: m.SchemaID, State: m.State,
			Traits: m.Traits, MetadataPublic: m.MetadataPublic, MetadataAdmin: m.MetadataAdmin,
			CreatedAt: m.CreatedAt, UpdatedAt: m.UpdatedAt,
		}
		for _, a := range m.Addresses {
			records[i].Addresses = append(records[i].Addresses, scim.Address{Value: a.Value, Via: a.Via, Status: a.Status, Verified: a.Verified})
		}
	}
	found, err := s.users.Entries(ctx, records, s.seen)
	if err == nil && len(found) != len(numbers) {
		err = fmt.Errorf("%d of %d identities are users", len(found), len(numbers))
	}
	return found, err
}

// placeOf is where an identity comes in lists.
func placeOf(id string) int64 {
	sum := sha256.Sum256([]byte(id))
	return int64(binary.BigEndian.Uint64(sum[:8]) >> 1) // 63 bits
}

// value is a line of scim_values.
type value struct {
	path, key string
	place     int64
}

// userFields are the columns of scim_users that a line has.
const userFields = "place, id, version, document, external_ids, found_by, updated_at, seen_at, writes"

// lines are an entry's line of scim_users, and those of scim_values.
func lines(e scim.Entry) (user []string, values []value, err error) {
	place, foundBy := placeOf(e.ID), map[string][][]byte{}
	add := func(path, key string) {
		foundBy[path] = append(foundBy[path], []byte(key))
		values = append(values, value{path, key, place})
	}
	for path, keys := range e.Values {
		for _, key := range slices.Compact(slices.Sorted(slices.Values(keys))) {
			add(path, key)
		}
	}
	for client, id := range e.ExternalIDs {
		add("externalId "+client, scim.Key(id))
	}
	external, err := json.Marshal(maps.Collect(maps.All(e.ExternalIDs)))
	if err != nil {
		return nil, nil, err
	}
	found, err := json.Marshal(foundBy)
	if err != nil {
		return nil, nil, err
	}
	const form = "2006-01-02 15:04:05.000000"
	return []string{
		strconv.FormatInt(place, 10), e.ID, e.Version, string(e.Document), string(external), string(found),
		e.Updated.UTC().Format(form), e.Seen.UTC().Format(form), "1",
	}, values, nil
}

// fill seeds the index of a database with the users 0 to n.
func (s *seeder) fill(ctx context.Context, server *server, database string, n int) error {
	numbers := make([]int, n)
	places := make([]int64, n)
	for i := range numbers {
		numbers[i], places[i] = i, placeOf(double.MemberID(i))
	}
	slices.SortFunc(numbers, func(a, b int) int { return cmp.Compare(places[a], places[b]) })
	group, running := errgroup.WithContext(ctx)
	group.SetLimit(2 * runtime.NumCPU())
	for batch := range slices.Chunk(numbers, seedBatch) {
		group.Go(func() error { return s.batch(running, server, database, batch) })
	}
	if err := group.Wait(); err != nil {
		return fmt.Errorf("seed %d users: %w", n, err)
	}
	for _, statement := range []string{
		"INSERT INTO %s.scim_counts (bucket, users) SELECT place >> 53, COUNT(*) FROM %[1]s.scim_users GROUP BY 1",
		"ANALYZE TABLE %s.scim_users, %[1]s.scim_values",
	} {
		if _, err := server.ExecContext(ctx, fmt.Sprintf(statement, database)); err != nil {
			return fmt.Errorf("seed %d users: %w", n, err)
		}
	}
	return nil
}

// batch writes the users of these numbers.
func (s *seeder) batch(ctx context.Context, server *server, database string, numbers []int) error {
	entries, err := s.entries(ctx, numbers)
	if err != nil {
		return err
	}
	var userLines, valueLines bytes.Buffer
	var all []value
	for _, e := range entries {
		user, values, err := lines(e)
		if err != nil {
			return err
		}
		writeLine(&userLines, user...)
		all = append(all, values...)
	}
	// In the order of the primary key.
	slices.SortFunc(all, func(a, b value) int {
		return cmp.Or(strings.Compare(a.path, b.path), strings.Compare(a.key, b.key), cmp.Compare(a.place, b.place))
	})
	for _, v := range all {
		writeLine(&valueLines, v.path, v.key, strconv.FormatInt(v.place, 10))
	}
	if err := server.load(ctx, database+".scim_users", "utf8mb4", userFields, &userLines, len(entries)); err != nil {
		return err
	}
	return server.load(ctx, database+".scim_values", "binary", "path, value_key, place", &valueLines, len(all))
}

var escaping = strings.NewReplacer(`\`, `\\`, "\t", `\t`, "\n", `\n`)

// writeLine writes a line as LOAD DATA reads it.
func writeLine(to *bytes.Buffer, fields ...string) {
	for i, field := range fields {
		if i > 0 {
			to.WriteByte('\t')
		}
		_, _ = escaping.WriteString(to, field)
	}
	to.WriteByte('\n')
}

// load has the server read a file of this process into a table. LOCAL makes
// warnings of errors, so what came is counted.
func (s *server) load(ctx context.Context, table, charset, columns string, file *bytes.Buffer, want int) error {
	name := fmt.Sprintf("%s-%p", table, file)
	mysql.RegisterReaderHandler(name, func() io.Reader { return file })
	defer mysql.DeregisterReaderHandler(name)
	result, err := s.ExecContext(ctx, fmt.Sprintf("LOAD DATA LOCAL INFILE 'Reader::%s' INTO TABLE %s CHARACTER SET %s (%s)", name, table, charset, columns))
	if err != nil {
		return err
	}
	if got, err := result.RowsAffected(); err != nil || got != int64(want) {
		return fmt.Errorf("%s took %d of %d lines: %w", table, got, want, err)
	}
	return nil
}

package main

import (
	"database/sql"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/holdline/holdline/bench/double"
	"github.com/holdline/holdline/persistence/database"
	"github.com/holdline/holdline/persistence/migration"
	"github.com/holdline/holdline/persistence/scimstore"
)

// What is seeded must be what Holdline writes, or another index is measured than
// Holdline's.
func TestSeededAsPersistenceWrites(t *testing.T) {
	file := filepath.Join(t.TempDir(), "holdline.db")
	db, err := database.Open(t.Context(), "sqlite://"+file, database.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := migration.Up(t.Context(), db); err != nil {
		t.Fatal(err)
	}
	site := &scimSite{kratos: double.NewFakeKratos(10)}
	seen := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	entries, err := newSeeder(site.schemas, seen).entries(t.Context(), []int{7})
	if err != nil {
		t.Fatal(err)
	}
	if err := scimstore.New(db).Put(t.Context(), entries[0]); err != nil {
		t.Fatal(err)
	}
	user, values, err := lines(entries[0])
	if err != nil {
		t.Fatal(err)
	}
	var have, want [][]string
	for _, v := range values {
		want = append(want, []string{v.path, v.key, strconv.FormatInt(v.place, 10)})
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	pool, err := sql.Open("sqlite", file)
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	have = everyLine(t, pool, "SELECT path, value_key, place FROM scim_values")
	slices.SortFunc(have, slices.Compare)
	slices.SortFunc(want, slices.Compare)
	if diff := cmp.Diff(want, have); diff != "" {
		t.Errorf("scim_values: %s", diff)
	}
	if diff := cmp.Diff([][]string{user}, everyLine(t, pool, "SELECT "+userFields+" FROM scim_users")); diff != "" {
		t.Errorf("scim_users: %s", diff)
	}
	if diff := cmp.Diff([][]string{{strconv.FormatInt(placeOf(double.MemberID(7))>>53, 10), "1"}},
		everyLine(t, pool, "SELECT bucket, users FROM scim_counts")); diff != "" {
		t.Errorf("scim_counts: %s", diff)
	}
}

// everyLine reads all of an answer as text.
func everyLine(t *testing.T, pool *sql.DB, query string) [][]string {
	t.Helper()
	rows, err := pool.QueryContext(t.Context(), query)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		t.Fatal(err)
	}
	var all [][]string
	for rows.Next() {
		line := make([]string, len(columns))
		into := make([]any, len(columns))
		for i := range line {
			into[i] = &line[i]
		}
		if err := rows.Scan(into...); err != nil {
			t.Fatal(err)
		}
		all = append(all, line)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return all
}

// A Holdline that answers fast and wrongly measures nothing.
func TestScimAnswersAreChecked(t *testing.T) {
	ask := scimAsks()[0]
	for name, tt := range map[string]struct {
		status int
		body   any
		good   bool
	}{
		"right":      {http.StatusOK, map[string]any{"totalResults": 1, "Resources": []any{map[string]any{"id": "1"}}}, true},
		"nobody":     {http.StatusOK, map[string]any{"totalResults": 0}, false},
		"incomplete": {http.StatusOK, map[string]any{"totalResults": 1}, false},
		"refused":    {http.StatusUnauthorized, nil, false},
	} {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(tt.status)
				_ = json.NewEncoder(w).Encode(tt.body)
			}))
			defer server.Close()
			site := &scimSite{n: fewUsers, holdline: &holdline{publicURL: server.URL}}
			if _, err := site.ask(t.Context(), http.DefaultClient, ask); (err == nil) != tt.good {
				t.Errorf("got %v, want good: %v", err, tt.good)
			}
		})
	}
}

package persistence_test

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/holdline/holdline/internal/admin"
	"github.com/holdline/holdline/internal/claim"
	"github.com/holdline/holdline/internal/message"
	"github.com/holdline/holdline/persistence"
	"github.com/holdline/holdline/persistence/database"
	"github.com/holdline/holdline/persistence/database/databasetest"
)

// TestArchiveAtScale prints how long a page of the archive takes with HOLDLINE_CLAIMS
// claims (such as "1000 1000000"): the first one, and one behind nine of ten rows.
func TestArchiveAtScale(t *testing.T) {
	sizes := os.Getenv("HOLDLINE_CLAIMS")
	if sizes == "" {
		t.Skip("HOLDLINE_CLAIMS names no numbers of claims")
	}
	var n [2]int
	if _, err := fmt.Sscan(sizes, &n[0], &n[1]); err != nil {
		t.Fatal(err)
	}
	for kind, newDSN := range databasetest.Kinds {
		t.Run(kind, func(t *testing.T) {
			var sites [2]archiveSite
			for i := range sites {
				sites[i] = archiveSite{db: databasetest.Migrated(t, newDSN(t)), n: n[i]}
				began := time.Now()
				sites[i].load(t)
				t.Logf("%d claims loaded in %v", n[i], time.Since(began).Round(time.Second))
			}
			for _, name := range slices.Sorted(maps.Keys(sites[0].asks(t))) {
				a, b := archiveMedians(t, &sites[0], &sites[1], name)
				t.Logf("%-48s %8v %8v  ratio %.2f", name, a.Round(time.Microsecond), b.Round(time.Microsecond), float64(b)/float64(a))
			}
		})
	}
}

// archiveSite is a database with n claims.
type archiveSite struct {
	db      *database.DB
	n, step int
}

// next is some number below most, far from the one before.
func (s *archiveSite) next(most int) int {
	s.step += 7919
	return s.step % most
}

// The names and places of what is loaded, by number.
func loadedID(i int) string        { return fmt.Sprintf("%08x", i) }
func loadedPerson(i int) string    { return fmt.Sprintf("person-%08x", i/3) }
func loadedMoment(i int) time.Time { return noon.Add(time.Duration(i/2) * time.Second) }
func loadedCursor(i int) admin.Cursor {
	return admin.Cursor{At: loadedMoment(i), ID: loadedID(i)}
}

func (s *archiveSite) loadedNumber(i int) string {
	return fmt.Sprintf("+49171%07d%02d", i*7919%10_000_000, i%max(1, s.n/10_000))
}

// load fills the database: of the claims three in ten lapsed, and the newest 200
// are open; of the texts, three to two claims, one in five failed and three in
// ten went by the backup, with a receipt each; there are three lines to a claim.
func (s *archiveSite) load(t *testing.T) {
	t.Helper()
	literal := func(at time.Time) string { return at.UTC().Format("2006-01-02 15:04:05.000000") }
	s.fill(t, `claims (id, identity_id, held_identity, flow_id, origin, number, was, was_verified, state, version, reason, code_key,
		code_number, attempts, texts, last_address, language, marker, due_tries, created_at)`, s.n, func(i int) string {
		state, held := claim.Applied, "NULL"
		switch {
		case i >= s.n-200:
			state, held = claim.Open, "'"+loadedID(i)+"'"
		case (i*31+i/100)%10 < 3: // in no step with the masks
			state = claim.Lapsed
		}
		return fmt.Sprintf("('%s', '%s', %s, '', 'settings', '%s', '+491710000000', TRUE, '%s', 1, '', 'n6.key', 1, 1, 1, '192.0.2.1', 'en', '', 0, '%s')",
			loadedID(i), loadedPerson(i), held, s.loadedNumber(i), state, literal(loadedMoment(i)))
	})
	s.fill(t, `texts (id, claim_id, identity_id, number, number_key, code_key, code_number, validity_us, language, address, state,
		due_at, tries, gateway, provider_id, reason, created_at)`, s.n*3/2, func(i int) string {
		state, c := message.TextSent, i*2/3
		if i%5 == 0 {
			state = message.TextFailed
		}
		return fmt.Sprintf("('%s', '%s', '%s', '%[4]s', '%[4]s', 'n6.key', 1, 1, 'en', '%[5]s', '%[6]s', '%[7]s', 0, '%[8]s', 'message-%[1]s', '', '%[7]s')",
			loadedID(i), loadedID(c), loadedPerson(c), s.loadedNumber(c), loadedPerson(c), state, literal(loadedMoment(i)), loadedGateway(i))
	})
	s.fill(t, "receipts (gateway, message, state, detail, received_at)", s.n*3/2, func(i int) string {
		return fmt.Sprintf("('%s', 'message-%s', 'delivered', '', '%s')", loadedGateway(i), loadedID(i), literal(loadedMoment(i)))
	})
	s.fill(t, "audit_events (claim_id, identity_id, kind, actor_kind, actor_id, actor_address, number, reason, happened_at)",
		s.n*3, func(i int) string {
			c, kind := i/3, []string{"staged", "open", "applied"}[i%3]
			return fmt.Sprintf("('%s', '%s', '%s', 'owner', '%[2]s', '192.0.2.1', '+49********11', '', '%[4]s')",
				loadedID(c), loadedPerson(c), kind, literal(loadedMoment(c)))
		})
	last := hourOf(loadedMoment(s.n))
	s.fill(t, "statistics (hour, subject, requested, confirmed, failed, withdrawn, wrong, sent, unsent, delay_us)",
		min(s.n, loadedHours*loadedSubjects), func(i int) string {
			return fmt.Sprintf("(%d, 'code:%d', 9, 8, 1, 0, 1, 9, 1, 0)", last-i/loadedSubjects, i%loadedSubjects)
		})
	s.fill(t, "progress (name, moment, row_id)", 1, func(int) string {
		return fmt.Sprintf("('statistics_codes', '%s', '')", literal(loadedMoment(s.n).Truncate(time.Hour)))
	})
}

// The statistics of 90 days, of so many calling codes and gateways.
const loadedHours, loadedSubjects = 90 * 24, 20

func hourOf(at time.Time) int { return int(at.Unix() / 3600) }

func loadedGateway(i int) string {
	if i%10 < 3 {
		return "backup"
	}
	return "main"
}

// fill adds rows 0 to n to a table.
func (s *archiveSite) fill(t *testing.T, into string, n int, row func(i int) string) {
	t.Helper()
	const batch = 2000
	for from := 0; from < n; from += batch {
		var rows []string
		for i := from; i < min(n, from+batch); i++ {
			rows = append(rows, row(i))
		}
		if err := databasetest.Exec(t.Context(), s.db, "INSERT INTO "+into+" VALUES "+strings.Join(rows, ",")); err != nil {
			t.Fatal(err)
		}
	}
}

// asks are what is measured, by name. A deep page is never quite the same one.
func (s *archiveSite) asks(t *testing.T) map[string]func() error {
	t.Helper()
	store := persistence.NewStore(s.db)
	asks := map[string]func() error{}
	for depth, deep := range map[string]bool{"page 1": false, "at 90 %": true} {
		at := func(most int) admin.Cursor {
			if !deep {
				return admin.Cursor{}
			}
			return loadedCursor(most/10 - s.next(most/50))
		}
		claims := func(name string, query func() admin.ClaimQuery) {
			asks["claims "+name+", "+depth] = func() error {
				q := query()
				q.After, q.Limit = at(s.n), archivePage
				_, err := store.FindClaims(t.Context(), q)
				return err
			}
		}
		texts := func(name string, q admin.TextQuery) {
			asks["texts "+name+", "+depth] = func() error {
				q.After, q.Limit = at(s.n*3/2), archivePage
				_, err := store.FindTexts(t.Context(), q)
				return err
			}
		}
		events := func(name string, query func() admin.EventQuery) {
			asks["events "+name+", "+depth] = func() error {
				q := query()
				q.Limit = archivePage
				if deep {
					q.Before = int64(s.n*3/10 - s.next(s.n*3/50))
				}
				_, err := store.FindEvents(t.Context(), q)
				return err
			}
		}
		claims("all", func() admin.ClaimQuery { return admin.ClaimQuery{} })
		claims("in a state", func() admin.ClaimQuery { return admin.ClaimQuery{State: claim.Lapsed} })
		claims("in a state of none", func() admin.ClaimQuery { return admin.ClaimQuery{State: claim.Conflict} })
		claims("of a person", func() admin.ClaimQuery { return admin.ClaimQuery{IdentityIDs: []string{loadedPerson(s.next(s.n))}} })
		claims("of a person in a state", func() admin.ClaimQuery {
			return admin.ClaimQuery{IdentityIDs: []string{loadedPerson(s.next(s.n))}, State: claim.Lapsed}
		})
		texts("all", admin.TextQuery{})
		texts("in a state", admin.TextQuery{State: message.TextFailed})
		texts("of a gateway", admin.TextQuery{Gateway: "backup"})
		events("all", func() admin.EventQuery { return admin.EventQuery{} })
		events("of a kind", func() admin.EventQuery { return admin.EventQuery{Kind: "open"} })
		events("of a person", func() admin.EventQuery { return admin.EventQuery{IdentityID: loadedPerson(s.next(s.n))} })
	}
	asks["texts of a claim"] = func() error {
		_, err := store.FindTexts(t.Context(), admin.TextQuery{ClaimID: loadedID(s.next(s.n)), Limit: archivePage})
		return err
	}
	asks["events of a claim"] = func() error {
		_, err := store.FindEvents(t.Context(), admin.EventQuery{ClaimID: loadedID(s.next(s.n)), Limit: archivePage})
		return err
	}
	now, charts := loadedMoment(s.n), persistence.NewStatistics(s.db)
	for name, span := range map[string]time.Duration{"1 hour": time.Hour, "24 hours": 24 * time.Hour, "30 days": 30 * 24 * time.Hour} {
		asks["traffic of "+name] = func() error { _, err := store.Traffic(t.Context(), now.Add(-span), now); return err }
	}
	for name, span := range map[string]time.Duration{"24 hours": 24 * time.Hour, "90 days": loadedHours * time.Hour} {
		asks["charts of "+name] = func() error { _, err := charts.Hours(t.Context(), now.Add(-span), now); return err }
	}
	asks["an hour counted for the charts"] = func() error {
		_, err := charts.Count(t.Context(), now.Truncate(time.Hour).Add(-time.Duration(s.next(24))*time.Hour))
		return err
	}
	asks["what waits"] = func() error { _, err := store.Waiting(t.Context()); return err }
	return asks
}

// archivePage is so short that a thousand claims fill the page at 90 %.
const archivePage = 20

// archivePatience is how long one question is asked again and again.
const archivePatience = 10 * time.Second

// archiveMedians measures in turns, so that what else the machine does is the
// same for both.
func archiveMedians(t *testing.T, small, large *archiveSite, name string) (a, b time.Duration) {
	t.Helper()
	var took [2][]time.Duration
	began := time.Now()
	asks := [2]func() error{small.asks(t)[name], large.asks(t)[name]}
	for step := range 200 {
		if step > 20 && time.Since(began) > archivePatience {
			break
		}
		for i, ask := range asks {
			asked := time.Now()
			if err := ask(); err != nil {
				t.Fatal(name, err)
			}
			took[i] = append(took[i], time.Since(asked))
		}
	}
	median := func(all []time.Duration) time.Duration { slices.Sort(all); return all[len(all)/2] }
	return median(took[0]), median(took[1])
}

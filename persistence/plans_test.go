package persistence_test

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/holdline/holdline/internal/admin"
	"github.com/holdline/holdline/internal/audit"
	"github.com/holdline/holdline/internal/claim"
	"github.com/holdline/holdline/internal/message"
	"github.com/holdline/holdline/internal/people"
	"github.com/holdline/holdline/internal/phone"
	"github.com/holdline/holdline/persistence"
	"github.com/holdline/holdline/persistence/database/databasetest"
)

// archiveAsks are all the ways in which the archive is asked, by name, with the
// index that must answer. A cursor stands somewhere in the middle.
func archiveAsks(at admin.Cursor, before int64) map[string]archiveAsk {
	const person, gateway = "identity-b", "main"
	number := phone.FromStore("+49 171 1111111")
	return map[string]archiveAsk{
		"claims":            ofClaims("claims_newest", admin.ClaimQuery{After: at}),
		"claims in a state": ofClaims("claims_newest_state", admin.ClaimQuery{State: claim.Open, After: at}),
		"claims of people":  ofClaims("claims_newest_identity", admin.ClaimQuery{IdentityIDs: []string{person, "identity-c"}, After: at}),
		"claims of a person in a state": ofClaims("claims_newest_identity",
			admin.ClaimQuery{IdentityIDs: []string{person}, State: claim.Open, After: at}),
		"claims of a person's number": ofClaims("claims_newest_identity", admin.ClaimQuery{IdentityIDs: []string{person}, Number: number, After: at}),
		"claims that are not indexed": {"claims_newest", func(t *testing.T, s *persistence.Store, limit int) (int, error) {
			t.Helper()
			found, err := s.ClaimsFrom(t.Context(), people.Place{At: at.At, ID: at.ID}, noon.Add(time.Hour), limit)
			return len(found), err
		}},
		"texts of a person":             ofTexts("texts_identity", admin.TextQuery{IdentityID: person}),
		"texts":                         ofTexts("texts_newest", admin.TextQuery{After: at}),
		"texts in a state":              ofTexts("texts_newest_state", admin.TextQuery{State: message.TextSent, After: at}),
		"texts of a gateway":            ofTexts("texts_newest_gateway", admin.TextQuery{Gateway: gateway, After: at}),
		"texts of a gateway that went":  ofTexts("texts_newest_gateway", admin.TextQuery{Gateway: gateway, State: message.TextSent, After: at}),
		"texts of a gateway that fails": ofTexts("texts_newest_state", admin.TextQuery{Gateway: gateway, State: message.TextFailed, After: at}),
		"texts of a claim":              ofTexts("texts_claim", admin.TextQuery{ClaimID: "b"}),
		"events":                        ofEvents("", admin.EventQuery{Before: before}),
		"events of a claim":             ofEvents("audit_events_claim", admin.EventQuery{ClaimID: "b", Before: before}),
		"events of a person":            ofEvents("audit_events_newest_identity", admin.EventQuery{IdentityID: person, Before: before}),
		"events of a kind":              ofEvents("audit_events_newest_kind", admin.EventQuery{Kind: "open", Before: before}),
		"alarms":                        ofAlarms("alarms_newest", admin.AlarmQuery{After: at}),
		"open alarms":                   ofAlarms("alarms_newest_outcome", admin.AlarmQuery{Open: true, After: at}),
		"alarms of a person":            ofAlarms("alarms_newest_identity", admin.AlarmQuery{IdentityID: person, After: at}),
		"what waits": {"claims_newest_state", func(t *testing.T, s *persistence.Store, _ int) (int, error) {
			t.Helper()
			_, err := s.Waiting(t.Context())
			return 0, err
		}},
	}
}

// archiveAsk is a question for a page, which returns how many rows it has.
type archiveAsk struct {
	index string // blank for the table itself
	ask   func(t *testing.T, s *persistence.Store, limit int) (int, error)
}

func ofClaims(index string, q admin.ClaimQuery) archiveAsk {
	return archiveAsk{index, func(t *testing.T, s *persistence.Store, limit int) (int, error) {
		t.Helper()
		q.Limit = limit
		found, err := s.FindClaims(t.Context(), q)
		return len(found), err
	}}
}

func ofTexts(index string, q admin.TextQuery) archiveAsk {
	return archiveAsk{index, func(t *testing.T, s *persistence.Store, limit int) (int, error) {
		t.Helper()
		q.Limit = limit
		found, err := s.FindTexts(t.Context(), q)
		return len(found), err
	}}
}

func ofAlarms(index string, q admin.AlarmQuery) archiveAsk {
	return archiveAsk{index, func(t *testing.T, s *persistence.Store, limit int) (int, error) {
		t.Helper()
		q.Limit = limit
		found, err := s.FindAlarms(t.Context(), q)
		return len(found), err
	}}
}

func ofEvents(index string, q admin.EventQuery) archiveAsk {
	return archiveAsk{index, func(t *testing.T, s *persistence.Store, limit int) (int, error) {
		t.Helper()
		q.Limit = limit
		found, err := s.FindEvents(t.Context(), q)
		return len(found), err
	}}
}

// Sorting would read more than a page and, in MariaDB 10.11, could end the
// server (see page).
func TestEveryPageIsReadAlongOneIndex(t *testing.T) {
	databasetest.OnEach(t, func(t databasetest.Kind) {
		if t.DB.Dialect().Index("any") == "" {
			t.Skip("the planner decides: TestAPlannerThatTakesNoOrdersReadsNoWholeTable")
		}
		store := persistence.NewStore(t.DB)
		for _, id := range []string{"a", "b", "c"} {
			c := openClaim(id)
			event := audit.Event{ClaimID: id, IdentityID: c.IdentityID, Kind: "open", At: noon}
			if err := store.Commit(t.Context(), claim.Change{Create: &c, Text: textOf(c), Events: []audit.Event{event}, At: noon}); err != nil {
				t.Fatal(err)
			}
			if err := store.Done(t.Context(), message.TextResult{TextID: "text-" + id, Gateway: "main", State: message.TextSent, At: noon}); err != nil {
				t.Fatal(err)
			}
		}
		plans := databasetest.Explain(t.DB)
		for _, at := range []admin.Cursor{{}, {At: noon, ID: "z"}} {
			for name, a := range archiveAsks(at, 1000) {
				if _, err := a.ask(t.T, store, 50); err != nil {
					t.Fatal(name, err)
				}
				plan := strings.Join(plans.Take(), "\n")
				sorted := strings.Contains(plan, "filesort") || strings.Contains(plan, "temporary") ||
					strings.Contains(plan, "TEMP B-TREE FOR ORDER BY")
				if sorted || !strings.Contains(plan, a.index) {
					t.Errorf("%s, cursor %+v: want %s:\n%s", name, at, a.index, plan)
				}
			}
		}
	})
}

// PostgreSQL chooses by what it knows of the rows: along the order, or by an index that
// leaves so few that it sorts them.
func TestAPlannerThatTakesNoOrdersReadsNoWholeTable(t *testing.T) {
	const claims, few = 2000, 150
	fast := databasetest.With(databasetest.Postgres(t), "random_page_cost", "1.1") // as on disks that are none
	site := archiveSite{db: databasetest.Migrated(t, fast), n: claims}
	site.load(t)
	if err := databasetest.Exec(t.Context(), site.db, "ANALYZE"); err != nil {
		t.Fatal(err)
	}
	whole := regexp.MustCompile(`Seq Scan on (claims|texts|audit_events|receipts)`)
	sorted := regexp.MustCompile(`Sort  \(.* rows=(\d+) `)
	plans := databasetest.Explain(site.db)
	for name, ask := range site.asks(t) {
		if strings.HasPrefix(name, "traffic") || strings.HasPrefix(name, "an hour") {
			continue // these count a stretch of rows, be it all of so few
		}
		if err := ask(); err != nil {
			t.Fatal(name, err)
		}
		plan := strings.Join(plans.Take(), "\n")
		if plan == "" || whole.MatchString(plan) {
			t.Errorf("%s:\n%s", name, plan)
		}
		for _, sort := range sorted.FindAllStringSubmatch(plan, -1) {
			if rows, err := strconv.Atoi(sort[1]); err != nil || rows > few {
				t.Errorf("%s, %s rows are sorted:\n%s", name, sort[1], plan)
			}
		}
	}
}

// What a limit counts is found by an index: whoever has many texts must not be the
// one whose next text takes long.
func TestLimitsCountAlongIndexes(t *testing.T) {
	databasetest.OnEach(t, func(t databasetest.Kind) {
		store := persistence.NewStore(t.DB)
		for i := range 200 { // of as many numbers and addresses, as texts are
			c := openClaim(fmt.Sprintf("before-%d", i))
			c.IdentityID, c.Number = c.ID, phone.FromStore(fmt.Sprintf("+49170%07d", i))
			text := textOf(c)
			text.ClientIP = fmt.Sprintf("198.51.100.%d", i)
			if err := store.Commit(t.Context(), claim.Change{Create: &c, Text: text, At: noon}); err != nil {
				t.Fatal(err)
			}
		}
		limits := claim.TextLimits{
			PerIdentityDay: 99, PerNumberHour: 99, PerNumberDay: 99, PerAddressHour: 99, NoticesPerNumberDay: 99,
		}
		staged, open := openClaim("staged"), openClaim("open")
		staged.State, staged.LastAddress, staged.PreviousVerified = claim.Staged, "192.0.2.1", true
		text := textOf(open)
		text.ClientIP = "192.0.2.1"
		notice := *textOf(open)
		notice.ID, notice.Kind = "notice", message.TextChanged
		plans := databasetest.Explain(t.DB)
		for name, change := range map[string]claim.Change{
			"a staged claim": {Create: &staged, Limits: limits, NoTextWithin: time.Hour, At: noon},
			"a text":         {Text: text, Limits: limits, At: noon},
			"a notice":       {Notices: []message.Text{notice}, Limits: limits, At: noon},
		} {
			if err := store.Commit(t.Context(), change); err != nil {
				t.Fatal(name, err)
			}
			plan := plans.Take()
			if len(plan) == 0 {
				t.Errorf("%s: no plan", name)
			}
			for _, step := range strings.Split(strings.Join(plan, "\n"), "\n") {
				// In SQLite and PostgreSQL a scan names its table; MariaDB's kinds of access are ALL and index.
				if strings.Contains(step, "Seq Scan on") || strings.Contains(step, "SCAN texts") || strings.Contains(step, "SCAN claims") ||
					strings.Contains(step, "| texts | ALL |") || strings.Contains(step, "| texts | index |") ||
					strings.Contains(step, "| claims | ALL |") || strings.Contains(step, "| claims | index |") {
					t.Errorf("%s: %s\n%s", name, step, strings.Join(plan, "\n"))
				}
			}
		}
	})
}

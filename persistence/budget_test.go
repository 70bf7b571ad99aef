package persistence_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/holdline/holdline/internal/claim"
	"github.com/holdline/holdline/internal/problem"
	"github.com/holdline/holdline/persistence"
)

// TestStatementBudget holds every call to its number of statements, of which
// BEGIN is the first of a transaction.
func TestStatementBudget(t *testing.T) {
	onEach(t, func(t kind) {
		db := t.db
		store, statements := persistence.NewStore(db), db.Record()
		check := func(call string, err error, want ...string) {
			t.Helper()
			if err != nil {
				t.Errorf("%s: %v", call, err)
			}
			var got []string
			for _, statement := range statements.Take() {
				got = append(got, strings.Fields(statement)[0])
			}
			if !slices.Equal(got, want) {
				t.Errorf("%s: asked %v, want %v", call, got, want)
			}
		}
		ctx := t.Context()
		limits := claim.TextLimits{PerIdentityDay: 5, PerNumberDay: 5, PerAddressHour: 5}
		c := openClaim("c")
		c.State, c.LastAddress = claim.Staged, "192.0.2.1"
		check("stage", store.Commit(ctx, claim.Change{Create: &c, Limits: limits, At: noon}), "INSERT")
		opened := openClaim("c")
		check("activate", store.Commit(ctx, claim.Change{
			Moves: []claim.Move{{From: claim.Staged, Claim: opened}}, Text: textOf(opened), Limits: limits,
			Events: []claim.Event{{ClaimID: "c", At: noon}, {ClaimID: "c", At: noon}}, At: noon,
		}), "BEGIN", "UPDATE", "INSERT", "INSERT")
		check("sent", store.Done(ctx, claim.TextResult{TextID: textOf(opened).ID, State: claim.TextSent, At: noon}), "UPDATE")
		snapshot, err := store.Current(ctx, c.IdentityID, noon)
		check("current", err, "SELECT")
		check("try", store.Try(ctx, opened.Code(), 5), "UPDATE")
		if snapshot.Held == nil {
			t.Fatal("nothing is held")
		}
		verified := *snapshot.Held
		verified.State = claim.Verified
		check("verify", store.Commit(ctx, claim.Change{
			Moves:  []claim.Move{{From: claim.Open, Claim: verified}},
			Events: []claim.Event{{ClaimID: "c", At: noon}}, At: noon,
		}), "BEGIN", "UPDATE", "INSERT")
		lease := claim.Lease{IdentityID: c.IdentityID, Owner: "o", ClaimID: "c", Until: noon.Add(time.Minute)}
		check("acquire", store.Acquire(ctx, lease, noon), "INSERT")
		applied := verified
		applied.Version++
		applied.State, applied.EndedAt = claim.Applied, noon
		check("apply", store.Commit(ctx, claim.Change{
			Moves: []claim.Move{{From: claim.Verified, Claim: applied}}, At: noon,
		}), "UPDATE")
		lease.Owner = "p"
		check("acquire what ended with its claim", store.Acquire(ctx, lease, noon), "UPDATE")
		check("release", store.Release(ctx, lease), "DELETE")
		_, err = store.Last(ctx, c.IdentityID)
		check("last", err, "SELECT")
		_, err = store.TextState(ctx, c.ID)
		check("text state", err, "SELECT")
		_, err = store.Due(ctx, noon, 9)
		check("due", err, "SELECT")
		_, err = store.Take(ctx, applied, noon)
		check("take", err, "UPDATE")
		_, err = store.DueTexts(ctx, noon, 9)
		check("due texts", err, "SELECT")
		check("put off", store.PutOff(ctx, "t", noon, ""), "UPDATE")
		check("drop texts", store.DropTexts(ctx, []string{"t", "u"}, noon, ""), "UPDATE")
		check("postpone texts", store.PostponeTexts(ctx, []string{"t", "u"}, noon, noon), "UPDATE")
	})
}

func TestMariaDBSessionsAreSetUp(t *testing.T) {
	db := opened(t, mariaDB(t)+"?interpolateParams=false&loc=Local&parseTime=false&charset=latin1&wait_timeout=77")
	for variable, want := range map[string]string{
		"tx_isolation": "READ-COMMITTED", "innodb_lock_wait_timeout": "3", "time_zone": "+00:00",
		"character_set_client": "utf8mb4", "sql_mode": "STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION", "wait_timeout": "77",
	} {
		if got, err := db.Text(t.Context(), "SELECT @@"+variable); err != nil || got != want {
			t.Errorf("%s is %s, %v, want %s", variable, got, err, want)
		}
	}
	prepared := func() int {
		n, err := db.Count(t.Context(), `SELECT variable_value FROM information_schema.global_status
			WHERE variable_name = 'COM_STMT_PREPARE'`)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	before := prepared()
	if n, err := db.Count(t.Context(), "SELECT ? + 0", 7); err != nil || n != 7 {
		t.Errorf("got %d, %v", n, err)
	}
	if after := prepared(); after != before {
		t.Errorf("%d statements were prepared", after-before)
	}
}

func TestUnusableDSNsAreRefusedWithoutTheirPassword(t *testing.T) {
	const password = "hunter2%zz"
	for name, tt := range map[string]struct {
		dsn  string
		want error
	}{
		"nothing":            {"", persistence.ErrBadDSN},
		"other scheme":       {"postgres://app:" + password + "@db/app", persistence.ErrBadDSN},
		"no scheme":          {"app:" + password + "@tcp(127.0.0.1:3306)/app", persistence.ErrBadDSN},
		"address of a URL":   {"mysql://app:" + password + "@127.0.0.1:3306/app", persistence.ErrBadDSN},
		"no database":        {"mysql://app:" + password + "@tcp(127.0.0.1:3306)/", persistence.ErrBadDSN},
		"no slash":           {"mysql://app:" + password + "@tcp(127.0.0.1:3306)", persistence.ErrBadDSN},
		"password misplaced": {"mysql://tcp(127.0.0.1:3306)/app:" + password, persistence.ErrBadDSN},
		"bad parameter":      {"mysql://app:" + password + "@tcp(127.0.0.1:3306)/app?timeout=" + password, persistence.ErrBadDSN},
		"nobody listens":     {"mysql://app:" + password + "@tcp(127.0.0.1:1)/app", problem.ErrStoreUnavailable},
		"no file":            {"sqlite://", persistence.ErrBadDSN},
		"file parameters":    {"sqlite://db.sqlite?_fk=true", persistence.ErrBadDSN},
		"no directory":       {"sqlite:///missing/directory/holdline.db", problem.ErrStoreUnavailable},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := persistence.Open(t.Context(), tt.dsn)
			if !errors.Is(err, tt.want) {
				t.Errorf("got %v, want %v", err, tt.want)
			}
			if strings.Contains(err.Error(), "hunter2") {
				t.Errorf("the password is in %q", err)
			}
		})
	}
}

func TestAWrongPasswordIsNotRepeated(t *testing.T) {
	dsn := strings.Replace(mariaDB(t), "app:app@", "app:hunter2@", 1)
	_, err := persistence.Open(t.Context(), dsn)
	if !errors.Is(err, problem.ErrStoreUnavailable) || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("got %v", err)
	}
}

func TestOpeningWaitsNoLongerThanItsCaller(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := persistence.Open(ctx, "mysql://app:app@tcp(127.0.0.1:1)/app"); !errors.Is(err, problem.ErrStoreUnavailable) {
		t.Errorf("got %v", err)
	}
}

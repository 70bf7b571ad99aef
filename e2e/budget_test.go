package e2e_test

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/holdline/holdline/e2e/harness"
)

// The budget that ARCHITECTURE.md promises.
const (
	budgetStage        = 4  // statements
	budgetChange       = 11 // statements
	budgetCommits      = 5  // what the disk is waited for, the notice apart
	budgetTrips        = 9  // commands that the database is waited for, BEGIN and COMMIT among them
	budgetNotice       = 2  // statements, beside them
	budgetStageTx      = 1
	budgetActivateTx   = 1
	budgetConfirmTx    = 2
	budgetConfirmCalls = 2 // to Kratos
	// watchIdle is longer than the slowest of the workers' rounds that matter.
	watchIdle = 33 * time.Second
)

// A whole change costs no more than its budget, counted where it is paid:
// in MariaDB's general log, and at Kratos' door. What the workers ask for while
// nothing happens is learned first, from a time in which nothing happens, and is
// told from the change's own work by its exact text.
func TestAChangeStaysInItsBudget(t *testing.T) {
	t.Parallel()
	server := harness.OwnServer(t)
	// The index of SCIM users, which a change is told to as well, has its own costs.
	s := harness.NewStack(t, harness.Options{Server: server, Holdline: harness.Overlay{"scim": harness.Overlay{"enabled": false}}})
	warm, bob := s.NewPerson(t, m2), s.NewPerson(t, m0)
	wantEmpty(t, warm.Confirm(t, warm.Ask(t, m3).Code), 202) // connections, schema cache
	log := harness.NewStatementLog(t, s.Database)
	waitForNotice(t, s, m2)
	s.Database.SkipLooks(t)
	log.Settle(t) // or what ends the warm-up would pass for polling

	idleFrom := log.Mark(t)
	harness.Eventually(t, "the idle time is over", func() error {
		if log.Mark(t).Sub(idleFrom) < watchIdle {
			return errNotYet
		}
		return nil
	})
	idle := log.Between(t, idleFrom, log.Mark(t))
	polling := map[string]int{}
	for _, statement := range idle {
		polling[shape(statement.Text)]++
	}

	for _, tt := range []struct{ name, number string }{{"a first change", m1}, {"another change of the same person", m4}} {
		t.Run(tt.name, func(t *testing.T) { checkBudget(t, s, log, polling, bob, tt.number) })
	}
}

// checkBudget makes one change and counts what it costs.
func checkBudget(
	t *testing.T, s *harness.Stack, log *harness.StatementLog, polling map[string]int, bob *harness.Person, number string,
) {
	s.Database.SkipLooks(t) // of the change before
	s.Hooks.Forget()
	s.KratosAdmin.Forget()
	s.KratosPublic.Forget()
	changeFrom := log.Mark(t)
	bob.MustSave(t, harness.Profile{Name: "After", Mobile: number})
	text := s.Provider.Nth(t, number, 1)
	log.Settle(t)
	confirmFrom := log.Mark(t)
	callsBefore := len(s.KratosAdmin.Calls("")) + len(s.KratosPublic.Calls(""))
	wantEmpty(t, bob.Confirm(t, text.Code), 202)
	log.Settle(t)
	end := log.Mark(t)
	callsConfirm := len(s.KratosAdmin.Calls("")) + len(s.KratosPublic.Calls("")) - callsBefore
	if got := bob.Identity(t); got.Traits.Mobile != number {
		t.Fatalf("the number was not changed: %+v", got)
	}

	hooks := s.Hooks.Calls("POST")
	if len(hooks) != 2 || hooks[0].Path != stagePath || hooks[1].Path != activatePath {
		t.Fatalf("hooks: %+v", hooks)
	}
	all := log.Between(t, changeFrom, end)
	phase := func(s harness.Statement) string {
		switch {
		case !s.At.Before(confirmFrom):
			return "confirm"
		case !s.At.After(hooks[0].End):
			return "stage"
		case !s.At.After(hooks[1].End):
			return "activate"
		default:
			return "send"
		}
	}
	var printed []string
	count, transactions, polled := map[string]int{}, map[string]int{}, map[string]int{}
	commits, trips, inside := 0, 0, map[int64]bool{}
	notice := "no notice"
	for _, statement := range all {
		p, kind := phase(statement), "work"
		if aNotice.MatchString(statement.Text) {
			notice = quoted.FindString(statement.Text) // its id
		}
		if strings.Contains(statement.Text, notice) {
			p = "notice"
		}
		switch sort := shape(statement.Text); {
		case begins.MatchString(statement.Text):
			kind = "begin"
			transactions[p]++
			inside[statement.Connection] = true
		case chatter.MatchString(statement.Text):
			kind = "chatter"
			if ends.MatchString(statement.Text) {
				commits, inside[statement.Connection] = commits+1, false
			}
		case polling[sort] > 0:
			kind = "idle"
			polled[sort]++
		default:
			count[p]++
			if changing.MatchString(statement.Text) && !inside[statement.Connection] && p != "notice" {
				commits++
			}
		}
		if kind != "idle" && p != "notice" && !statement.Joined {
			trips++
		}
		printed = append(printed, fmt.Sprintf("%s %-8s %-7s %s", statement.At.Format("05.000000"), p, kind, statement.Text))
	}
	// Work that looks like polling would hide: there may be no more of it in the
	// change than in the same time of idling.
	for sort, n := range polled {
		usual := float64(polling[sort]) * float64(end.Sub(changeFrom)) / float64(watchIdle)
		if most := usual + 2; float64(n) > most {
			t.Errorf("%d times during the change, at most %.0f when idle: %s", n, most, sort)
		}
	}
	total := count["stage"] + count["activate"] + count["send"] + count["confirm"]
	harness.Report(t, "budget", fmt.Sprintf(
		"statements of a change: stage %d, activate %d, send %d, confirm %d: %d of %d in %d commits and %d round trips; the notice %d; Kratos calls to confirm: %d",
		count["stage"], count["activate"], count["send"], count["confirm"], total, budgetChange, commits, trips, count["notice"], callsConfirm))
	within := func(what string, got, budget int) {
		if got > budget {
			t.Errorf("%s: %d, budget %d", what, got, budget)
		}
	}
	within("statements of stage", count["stage"], budgetStage)
	within("statements of a whole change", total, budgetChange)
	within("round trips of a whole change", trips, budgetTrips)
	within("commits of a whole change", commits, budgetCommits)
	within("statements of the notice to the old number", count["notice"], budgetNotice)
	within("transactions of stage", transactions["stage"], budgetStageTx)
	within("transactions of activate", transactions["activate"], budgetActivateTx)
	within("transactions of confirm", transactions["confirm"], budgetConfirmTx)
	within("calls to Kratos to confirm", callsConfirm, budgetConfirmCalls)
	for _, call := range slices.Concat(s.KratosAdmin.Calls(""), s.KratosPublic.Calls("")) {
		if call.Began.Before(hooks[0].End) {
			t.Errorf("stage called Kratos: %s %s", call.Method, call.Path)
		}
	}
	if total < 5 {
		t.Errorf("only %d statements were seen: the count cannot be right", total)
	}
	if t.Failed() || testing.Verbose() {
		t.Logf("all statements:\n%s", strings.Join(printed, "\n"))
	}
}

var (
	begins   = regexp.MustCompile(`(?i)^(BEGIN|START TRANSACTION)\b`)
	chatter  = regexp.MustCompile(`(?i)^(COMMIT|ROLLBACK|SET)\b`)
	ends     = regexp.MustCompile(`(?i)^COMMIT\b`)
	changing = regexp.MustCompile(`(?i)^(INSERT|UPDATE|DELETE)\b`)
	aNotice  = regexp.MustCompile("^INSERT INTO `?texts`? .*'changed', ?'sms'")
	quoted   = regexp.MustCompile(`'(?:[^'\\]|\\.|'')*'`)
	numbers  = regexp.MustCompile(`\b\d+(?:\.\d+)?\b`)
	sequence = regexp.MustCompile(`\((?:\?,\s*)+\?\)`)
)

// shape is a statement without its values.
func shape(statement string) string {
	statement = quoted.ReplaceAllString(statement, "?")
	statement = numbers.ReplaceAllString(statement, "?")
	return strings.Join(strings.Fields(sequence.ReplaceAllString(statement, "(?)")), " ")
}

package main

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/holdline/holdline/e2e/harness"
)

// mostUsers change numbers at once.
const mostUsers = 32

// entry is a contestant, by what it is called in results.
type entry struct {
	what, release string
	users         []int
	contestant
}

// BenchmarkChange lets everything that is to be compared take turns in the same rounds,
// on each server: Holdline of this checkout and of the release before, each with a
// database of its own, and the database without Holdline. It fails if a change was lost,
// a text came twice or an answer was wrong, and never because something was slow.
func BenchmarkChange(b *testing.B) {
	var blocks []func(round int)
	var changers []*changer
	describe(b)
	for _, name := range strings.Split(*servers, ",") {
		s := openSite(b, name)
		fmt.Printf("%s: %s\n", name, s.version(b))
		done := s.hastily(b)
		for _, e := range start(b, s) {
			if c, ok := e.contestant.(*changer); ok {
				changers = append(changers, c)
			}
			for _, users := range e.users {
				blocks = append(blocks, func(round int) {
					b.Run(fmt.Sprintf("case=%s/release=%s/on=%s/users=%d/round=%d", e.what, e.release, name, users, round+1), func(b *testing.B) {
						pause := ramp
						if c, ok := e.contestant.(*changer); ok {
							// What earlier changes left to be done weighs as much at the begin of
							// the measured time as at its end.
							pause = max(pause, c.provider.delay)
							if c.earlier > 0 {
								b.ReportMetric(c.size(b), "history-MiB")
							}
						}
						measure(b, e.contestant, users, pause)
					})
				})
			}
		}
		done()
	}
	for round := range *rounds {
		var turns []func()
		for _, one := range blocks {
			turns = append(turns, func() {
				if !b.Failed() {
					one(round)
				}
			})
		}
		inTurns(round, turns)
	}
	b.Run("checked", func(b *testing.B) {
		changes := 0
		for _, c := range changers {
			c.check(b)
			changes += int(c.changes.Load())
		}
		if changes == 0 && len(changers) > 0 {
			b.Error("no number was changed")
		}
		b.ReportMetric(0, "ns/op")
		b.ReportMetric(float64(changes), "changes")
	})
}

// start starts what was chosen to be measured on a server.
func start(b *testing.B, s *site) (all []entry) {
	b.Helper()
	few, some, many := []int{8}, []int{8, mostUsers}, []int{1, 8, mostUsers}
	add := func(what, release string, users []int, c contestant) {
		all = append(all, entry{what, release, users, c})
	}
	if chosen(cases, "floor") {
		add("floor", "none", many, startFloor(b, s))
	}
	whole := []string{"form"}
	if s.name == "mariadb" {
		whole = append(whole, "scim")
	}
	for _, what := range whole {
		if !chosen(cases, what) {
			continue
		}
		add(what, "here", many, startChanger(b, s, what, options{scim: what == "scim"}))
		if *before != "" && s.name != "postgres" { // which it does not know
			add(what, "before", many, startChanger(b, s, what+" before", options{scim: what == "scim", program: *before}))
		}
	}
	if s.name != "mariadb" {
		return all
	}
	if chosen(cases, "slow") {
		add("slow", "here", some, startChanger(b, s, "slow", options{delay: delay}))
	}
	if chosen(cases, "earlier") {
		source := startChanger(b, s, "history", options{})
		for range 4 {
			source.warmUp(b)
		}
		source.holding.Stop(b)
		for _, claims := range []int{*earlier / 10, *earlier} {
			users := many
			if claims < *earlier {
				users = few
			}
			add(fmt.Sprint("earlier-", claims), "here", users, startChanger(b, s, "earlier", options{earlier: &history{source, claims}}))
		}
	}
	if chosen(cases, "kratos") {
		add("kratos", "here", []int{1, 8}, startWithKratos(b, s))
	}
	return all
}

// describe says what is measured.
func describe(b *testing.B) {
	b.Helper()
	for name, program := range map[string]string{"holdline": harness.Env.HoldlineBin, "before": *before} {
		if program == "" {
			continue
		}
		printed, err := exec.Command(program, "version").Output()
		must(b, err)
		version, _, _ := strings.Cut(string(printed), "\n")
		fmt.Printf("%s: %s\n", name, version)
	}
	memory, err := os.ReadFile("/proc/meminfo")
	must(b, err)
	total, _, _ := strings.Cut(string(memory), "\n")
	fmt.Printf("memory: %s\n", strings.TrimSpace(strings.TrimPrefix(total, "MemTotal:")))
	fmt.Printf("block: %s\nrounds: %d\n", *measured, *rounds)
}

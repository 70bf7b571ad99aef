package scimtest

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"
	"time"
)

// Seen is a person as Kratos stores them.
type Seen struct {
	Mobile, Pending string // blank for none
	DisplayName     string
	Email           string
	Verified        bool
	Active          bool
}

// World is what surrounds the clients. People are named by their user names.
type World interface {
	Seen(userName string) (Seen, error)
	// Rest waits until all texts that were queued have arrived.
	Rest() error
	// Codes are those that were texted to a number, oldest first.
	Codes(number string) []string
	// Confirm and Resend are calls of a person who has just signed in. They return
	// the status of the answer.
	Confirm(userName, code string) (int, error)
	Resend(userName string) (int, error)
	// Save stores a number by Kratos' settings form.
	Save(userName, number string) error
	// Pass lets time pass, with all background work that falls due.
	Pass(time.Duration) error
}

// Options say what is played.
type Options struct {
	Seed   uint64
	People int
	Cycles int
	Every  time.Duration // from one cycle to the next; 0 where time stands still
	// Lifetime is that of a claim.
	Lifetime time.Duration
	// Pace makes what people do more frequent than in life; 1 is life.
	Pace    float64
	Clients []*Client
	World   World
	// Known are the numbers, verified, of people who have an account before they are
	// provisioned, named by user names; without them the clients make everybody.
	Known map[string]string
}

// Report is what happened.
type Report struct {
	Seed                               uint64
	People, Cycles, Requests           int
	Changed, Confirmed, Late, Forgot   int // numbers that a directory changed, and what people made of them
	Saved                              int // numbers that people changed themselves
	Left, Returned, Renamed            int
	Texts, MostToAnIdlePerson, MostAll int // codes: in all, to somebody who never acted for one number, to anybody
}

// String is the report as a table.
func (r Report) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "seed %d: %d people, %d cycles, %d requests\n", r.Seed, r.People, r.Cycles, r.Requests)
	for _, row := range []struct {
		what string
		n    int
	}{
		{"numbers changed by a directory", r.Changed},
		{"  confirmed at once", r.Confirmed},
		{"  confirmed later, with a code that was asked for", r.Late},
		{"  never confirmed", r.Forgot},
		{"numbers changed in a settings form", r.Saved},
		{"left", r.Left},
		{"came back", r.Returned},
		{"renamed", r.Renamed},
		{"texts with codes", r.Texts},
		{"most texts for one number to who did nothing", r.MostToAnIdlePerson},
		{"most texts for one number to anybody", r.MostAll},
	} {
		fmt.Fprintf(&b, "%-50s %8d\n", row.what, row.n)
	}
	return b.String()
}

// person is what is known of somebody, and what has to be true.
type person struct {
	entry     Entry
	client    *Client
	confirmed string // the number in Kratos
	pending   string // blank for none
	opened    int    // the cycle in which the pending claim was opened
	// before is how many texts the numbers had got before this cycle.
	before map[string]int
	// texted are the numbers that a client had texted since the person acted last.
	texted map[string]bool
	// allowed is how many texts each number may have got by now, and idle tells for
	// which the person never did anything.
	allowed map[string]int
	acted   map[string]bool
	plan    int // the cycle in which the pending number is confirmed; 0 for never
	heard   int // the cycle in which the directory hears of a change by form; 0 for never
	back    int // the cycle in which somebody who left comes back; 0 for never
}

// simulation plays.
type simulation struct {
	Options
	t      testing.TB
	rand   *rand.Rand
	people []*person
	cycle  int
	number int
	report Report
}

// Run plays, and fails the test when something is not as it has to be:
//
//   - every request of a client is answered with success;
//   - whoever leaves is inactive in the cycle that says so, and names and e-mail
//     addresses are always written;
//   - a client ends nobody's pending number, unless it brings one that is neither
//     stored nor pending;
//   - a number that a client brings is texted once, until the person acts;
//   - Kratos holds a number whose code was accepted, verified, until the next one.
func Run(tb testing.TB, o Options) Report {
	tb.Helper()
	s := &simulation{Options: o, t: tb, rand: rand.New(rand.NewPCG(o.Seed, 0))} //nolint:gosec // a simulation
	s.report = Report{Seed: o.Seed, People: o.People, Cycles: o.Cycles}
	for i := range o.People {
		name := fmt.Sprintf("person%d@example.com", i)
		p := &person{
			client: o.Clients[i%len(o.Clients)], texted: map[string]bool{}, allowed: map[string]int{}, acted: map[string]bool{},
			entry: Entry{
				UserName: name, ExternalID: fmt.Sprintf("00u%dexternal", i),
				GivenName: "Given", FamilyName: fmt.Sprint("Family", i), Email: name,
				Mobile: s.newNumber(), Active: true, spelling: i / len(o.Clients) % 2,
			},
		}
		if number := o.Known[p.entry.UserName]; number != "" {
			p.entry.Mobile, p.confirmed = number, number
		} else if s.rand.IntN(10) < 8 {
			p.plan = 1 + s.rand.IntN(48)
		}
		s.people = append(s.people, p)
	}
	for s.cycle = 1; s.cycle <= o.Cycles && !tb.Failed(); s.cycle++ {
		s.play()
	}
	s.conclude()
	return s.report
}

func (s *simulation) newNumber() string {
	s.number++
	return Number(s.number)
}

// Number is the n-th mobile number of the simulation.
func Number(n int) string { return fmt.Sprintf("+49151%08d", n) }

// happens draws what happens once in so many cycles of an hour.
func (s *simulation) happens(once float64) bool { return s.rand.Float64() < s.Pace/once }

// fatal ends the test with what it was about.
func (s *simulation) fatal(p *person, format string, args ...any) {
	s.t.Helper()
	s.t.Fatalf("seed %d, cycle %d, %s of %s: %s", s.Seed, s.cycle, p.entry.UserName, p.client.Product, fmt.Sprintf(format, args...))
}

func (s *simulation) play() {
	for _, p := range s.people {
		s.lapse(p)
		s.direct(p)
		p.before = map[string]int{}
		for _, number := range []string{p.pending, p.entry.Mobile} {
			p.before[number] = len(s.World.Codes(number))
		}
	}
	for _, i := range s.rand.Perm(len(s.people)) {
		s.provision(s.people[i])
	}
	if err := s.World.Rest(); err != nil {
		s.t.Fatalf("cycle %d: %v", s.cycle, err)
	}
	for _, p := range s.people {
		s.check(p)
	}
	for _, p := range s.people {
		s.act(p)
	}
	if err := s.World.Pass(s.Every); err != nil {
		s.t.Fatalf("cycle %d: %v", s.cycle, err)
	}
}

// lapse ends a claim whose lifetime is over.
func (s *simulation) lapse(p *person) {
	if p.pending != "" && s.Every > 0 && time.Duration(s.cycle-p.opened)*s.Every >= s.Lifetime {
		p.pending = ""
	}
}

// direct changes what the directory says.
func (s *simulation) direct(p *person) {
	e := &p.entry
	switch {
	case !e.Active && p.back == s.cycle:
		e.Active = true
		s.report.Returned++
	case !e.Active:
		return
	case p.heard == s.cycle:
		e.Mobile, p.heard = p.confirmed, 0
	}
	if s.happens(480) {
		e.Mobile, p.heard = s.newNumber(), 0
		s.report.Changed++
		switch draw := s.rand.IntN(10); {
		case draw < 5:
			p.plan = s.cycle
		case draw < 7:
			p.plan = s.cycle + 1 + s.rand.IntN(100)
		default:
			p.plan = 0
			s.report.Forgot++
		}
	}
	if s.happens(720) {
		e.GivenName = fmt.Sprint("Given", s.cycle)
		s.report.Renamed++
	}
	if e.lastActive && s.happens(1440) {
		e.Active, p.back = false, 0
		if s.rand.IntN(10) < 7 {
			p.back = s.cycle + 24 + s.rand.IntN(400)
		}
		s.report.Left++
	}
}

// provision lets the client say what its directory says. Products say nothing more
// of somebody who has left.
func (s *simulation) provision(p *person) {
	e := &p.entry
	if !e.Active && !e.lastActive {
		return
	}
	leaves := !e.Active
	if err := p.client.Provision(e); err != nil {
		s.fatal(p, "%v", err)
	}
	e.lastActive = e.Active
	if leaves && p.client.Product == Okta || e.Mobile == p.confirmed || e.Mobile == p.pending {
		return // nothing was said of the number, or nothing new
	}
	p.pending, p.opened = e.Mobile, s.cycle
	if !p.texted[e.Mobile] {
		p.texted[e.Mobile] = true
		p.allowed[e.Mobile]++
	}
}

// check compares what Kratos has with what has to be.
func (s *simulation) check(p *person) {
	seen, err := s.World.Seen(p.entry.UserName)
	if err != nil {
		s.fatal(p, "%v", err)
	}
	if seen.Active != p.entry.Active {
		s.fatal(p, "active is %v, want %v", seen.Active, p.entry.Active)
	}
	if p.entry.Active && (seen.DisplayName != p.entry.DisplayName() || seen.Email != p.entry.Email) {
		s.fatal(p, "the name is %q, want %q", seen.DisplayName, p.entry.DisplayName())
	}
	if seen.Mobile != p.confirmed || seen.Mobile != "" && !seen.Verified {
		s.fatal(p, "the number is %s (verified: %v), want %s", seen.Mobile, seen.Verified, p.confirmed)
	}
	if seen.Pending != p.pending {
		s.fatal(p, "the pending number is %q, want %q", seen.Pending, p.pending)
	}
	for number, allowed := range p.allowed {
		if got := len(s.World.Codes(number)); got > allowed {
			s.fatal(p, "%d texts to %s, want at most %d", got, number, allowed)
		}
	}
}

// act is what the person does.
func (s *simulation) act(p *person) {
	if !p.entry.Active {
		return
	}
	switch {
	case p.pending != "" && p.pending == p.entry.Mobile && p.plan == s.cycle:
		s.confirm(p)
	case p.pending != "" && p.plan > 0 && p.plan < s.cycle:
		p.plan = 0
	case s.happens(960):
		s.save(p)
	}
}

// confirm types the code, and asks for a text first where none came, or the code is
// old.
func (s *simulation) confirm(p *person) {
	number := p.pending
	texts := len(s.World.Codes(number))
	late := texts == p.before[number] // the code is old, or a limit forbade the text
	if late && s.Every > 0 || texts == 0 {
		status, err := s.World.Resend(p.entry.UserName)
		if err != nil || status != http.StatusCreated {
			s.fatal(p, "a text was asked for: %d, %v", status, err)
		}
		p.allowed[number]++
	}
	s.accept(p)
	s.report.Confirmed++
	if late {
		s.report.Confirmed--
		s.report.Late++
	}
}

// accept types the newest code.
func (s *simulation) accept(p *person) {
	if err := s.World.Rest(); err != nil {
		s.fatal(p, "%v", err)
	}
	codes := s.World.Codes(p.pending)
	if len(codes) == 0 {
		s.fatal(p, "no code came to %s", p.pending)
	}
	status, err := s.World.Confirm(p.entry.UserName, codes[len(codes)-1])
	if err != nil || status != http.StatusAccepted {
		s.fatal(p, "the code was answered with %d, %v", status, err)
	}
	p.acted[p.pending] = true
	p.confirmed, p.pending, p.plan = p.pending, "", 0
	p.texted = map[string]bool{}
}

// save changes the number in a form. The directory hears of it later, or never, and
// brings its own number meanwhile.
func (s *simulation) save(p *person) {
	number := s.newNumber()
	if err := s.World.Save(p.entry.UserName, number); err != nil {
		s.fatal(p, "the form: %v", err)
	}
	s.report.Saved++
	p.pending, p.opened, p.plan = number, s.cycle, 0
	p.allowed[number]++
	p.acted[number] = true
	p.texted = map[string]bool{}
	if s.rand.IntN(10) < 2 {
		return // and forgets it
	}
	s.accept(p)
	if s.rand.IntN(10) < 7 {
		p.heard = s.cycle + 1 + s.rand.IntN(120)
	}
}

// conclude counts the texts.
func (s *simulation) conclude() {
	for _, p := range s.people {
		for number := range p.allowed {
			n := len(s.World.Codes(number))
			s.report.Texts += n
			s.report.MostAll = max(s.report.MostAll, n)
			if !p.acted[number] {
				s.report.MostToAnIdlePerson = max(s.report.MostToAnIdlePerson, n)
			}
		}
	}
	for _, c := range s.Clients {
		s.report.Requests += c.Requests
	}
}

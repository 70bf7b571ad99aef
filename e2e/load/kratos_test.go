package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/holdline/holdline/e2e/harness"
)

// kratosOverlay is laid over the end-to-end tests' configuration of Kratos.
var kratosOverlay = harness.Overlay{"log": harness.Overlay{"level": "error"}}

// startWithKratos starts a Holdline and a real Kratos that calls its hooks, on one
// server. People stay, so how many texts and tries an identity may have is no limit.
func startWithKratos(b *testing.B, s *site) *changer {
	b.Helper()
	c := &changer{name: "a real Kratos", provider: newProvider(0), acted: map[string]person{}, texts: map[string]int{}}
	stack := harness.NewStack(b, harness.Options{
		Direct: true, Server: s.server, KratosServer: s.server, Kratos: kratosOverlay,
		Gateways: []harness.Overlay{gateway(serve(b, c.provider))},
		Holdline: harness.Overlay{
			"limits": tree{"texts_per_identity_per_day": 0, "attempts_per_identity_per_day": 0},
			"scim":   tree{"enabled": false}, "log": tree{"level": "info"},
		},
	})
	c.holding, c.database = stack.Holdline, s.at(b, stack.Database.DSN)
	c.way = &real{b: b, stack: stack}
	c.warmUp(b)
	return c
}

// real is a real Kratos, with the whole settings flow. Everybody changes the number
// again and again: accounts take longer to make than numbers to change.
type real struct {
	b        *testing.B
	stack    *harness.Stack
	accounts []person
}

// newcomer makes an account, signed in, while a block begins, and later takes the same
// person with another number. Holdline accepts a code when Kratos fails, writes later,
// and refuses another number until then.
func (r *real) newcomer(c *changer, user int, last person) (person, error) {
	if last.account == nil {
		for len(r.accounts) <= user {
			mobile := number(1, c.made.Add(1))
			account := r.stack.NewPerson(r.b, mobile)
			r.accounts = append(r.accounts, person{id: account.ID, mobile: mobile, account: account})
		}
		last = r.accounts[user]
	}
	next := last
	next.was, next.mobile = last.mobile, number(2, c.made.Add(1))
	r.accounts[user] = last
	return next, until("the number may be changed again", func() (bool, error) {
		var held int
		err := c.pool.QueryRow("SELECT COUNT(*) FROM claims WHERE held_identity = ?", last.id).Scan(&held)
		return held == 0, err
	})
}

// request repeats what Kratos fails at: it does not try a transaction again that its
// database ended for a deadlock, and leaves that to its user.
func (r *real) request(p person) (err error) {
	for range 5 {
		var answer harness.Answer
		answer, err = p.account.TrySave(harness.Profile{Name: "After", Mobile: p.mobile})
		if err = sent(http.StatusOK)(answer.Status, []byte(answer.Body), err); err == nil {
			return nil
		}
	}
	return err
}

func (r *real) confirm(p person, code string) error {
	answer, err := p.account.TryConfirm(code)
	return sent(http.StatusAccepted)(answer.Status, []byte(answer.Body), err)
}

func (r *real) done(p person) (bool, error) {
	i, err := p.account.TryIdentity()
	return i.Traits.Mobile == p.mobile && i.MobileVerified() && i.Pending() == "", err
}

func (*real) leave(person)    {}
func (r *real) others() []int { return r.stack.Kratos.PIDs() }
func (*real) calls() int64    { return 0 }

// step is a part of a change at a real Kratos, or what it is compared with.
type step struct {
	name string
	once func(*visitor) error
	// after waits for what a step leaves to be done, which is not a person's time.
	after func() error
}

// visitor is somebody on the way through a settings flow.
type visitor struct {
	account      *harness.Person
	kratos       *harness.Stack
	next         string // the number that was requested
	action, code string // of the settings flow; that was texted
}

// BenchmarkKratos takes changes at a real Kratos apart: how long each request takes, one
// at a time, and whose CPU it needs. Beside it is a Kratos on the same server that knows
// no hooks.
func BenchmarkKratos(b *testing.B) {
	if !chosen(cases, "steps") {
		b.Skip()
	}
	s := openSite(b, "mariadb")
	done := s.hastily(b)
	c := startWithKratos(b, s)
	hooked, bare := c.way.(*real).stack, harness.NewKratos(b, s.server, kratosOverlay)
	client := &http.Client{}
	ask := func(method, url string, body any, headers ...string) ([]byte, error) {
		text, err := json.Marshal(body)
		if err != nil {
			return nil, err
		}
		header := http.Header{"Content-Type": jsonType, "Accept": jsonType}
		for i := 0; i < len(headers); i += 2 {
			header.Set(headers[i], headers[i+1])
		}
		status, said, err := send(client, method, url, text, header)
		if err == nil && status >= http.StatusBadRequest {
			err = fmt.Errorf("%s: status %d: %.500s", url, status, said)
		}
		return said, err
	}
	begin := func(v *visitor) error {
		said, err := ask(http.MethodGet, v.kratos.Kratos.PublicURL+"/self-service/settings/api", nil, "X-Session-Token", v.account.Token)
		var flow struct{ UI struct{ Action string } }
		if err == nil {
			err = json.Unmarshal(said, &flow)
		}
		v.action = flow.UI.Action
		return err
	}
	submit := func(v *visitor) error {
		v.next = number(1, c.made.Add(1))
		said, err := ask(http.MethodPost, v.action, tree{"method": "profile", "traits": tree{"email": v.account.Email, "name": "After", "mobile": v.next}},
			"X-Session-Token", v.account.Token)
		if err == nil && !strings.Contains(string(said), `"state":"success"`) {
			err = fmt.Errorf("settings flow: %.500s", said)
		}
		return err
	}
	whoami := func(v *visitor) error {
		_, err := ask(http.MethodGet, v.kratos.Kratos.PublicURL+"/sessions/whoami", nil, "X-Session-Token", v.account.Token)
		return err
	}
	write := func(v *visitor) error {
		mobile := number(1, c.made.Add(1))
		_, err := ask(http.MethodPatch, v.kratos.Kratos.AdminURL+"/admin/identities/"+v.account.ID, []tree{
			{"op": "add", "path": "/traits/mobile", "value": mobile},
			{"op": "add", "path": "/verifiable_addresses/-", "value": tree{"value": mobile, "via": "sms", "status": "completed", "verified": true}},
		})
		return err
	}
	const people = 10
	visitors := func(of *harness.Stack) []*visitor {
		all := make([]*visitor, people)
		for i := range all {
			all[i] = &visitor{account: of.NewPerson(b, number(1, c.made.Add(1))), kratos: of}
		}
		return all
	}
	hookedPeople, barePeople := visitors(hooked), visitors(bare)
	received := func() error {
		for _, v := range hookedPeople {
			var err error
			if v.code, err = c.provider.wanted(b.Context(), v.next); err != nil {
				return err
			}
		}
		return until("texts are sent", func() (bool, error) {
			var queued int
			err := c.pool.QueryRow("SELECT COUNT(*) FROM texts WHERE state = 'queued'").Scan(&queued)
			return queued == 0, err
		})
	}
	confirm := func(v *visitor) error {
		answer, err := v.account.TryConfirm(v.code)
		return sent(http.StatusAccepted)(answer.Status, []byte(answer.Body), err)
	}
	done()
	steps := []struct {
		people []*visitor
		step
	}{
		{barePeople, step{"begin", begin, nil}},
		{barePeople, step{"submit-without-hooks", submit, nil}},
		{barePeople, step{"whoami", whoami, nil}},
		{barePeople, step{"write", write, nil}},
		{hookedPeople, step{"begin-with-hooks", begin, nil}},
		{hookedPeople, step{"submit", submit, received}},
		{hookedPeople, step{"validate-code", confirm, c.settle}},
	}
	for round := range *rounds * 2 {
		for _, step := range steps {
			b.Run(fmt.Sprintf("step=%s/round=%d", step.name, round+1), func(b *testing.B) {
				used := func() map[string]float64 {
					return map[string]float64{
						"kratos": cpuOf(step.people[0].kratos.Kratos.PIDs()...), "holdline": cpuOf(c.holdline()...), "database": cpuOf(s.pids()...),
					}
				}
				from := used()
				b.ResetTimer()
				for _, v := range step.people {
					must(b, step.once(v))
				}
				b.StopTimer()
				if step.after != nil {
					must(b, step.after())
				}
				b.ReportMetric(0, "ns/op")
				b.ReportMetric(millis(b.Elapsed())/people, "ms/op")
				for who, seconds := range used() {
					b.ReportMetric((seconds-from[who])*1000/people, who+"-cpu-ms/op")
				}
			})
		}
	}
}

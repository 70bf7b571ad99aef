package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"time"
)

// settingsForm is what people send.
type settingsForm struct {
	name    string
	number  bool // whether it changes the number
	atMost  float64
	display func(n int) string // the nth display name
}

var settingsForms = []settingsForm{
	{"changes the number", true, 1.10, func(int) string { return "As before" }},
	{"leaves the number alone", false, 1.10, func(n int) string { return fmt.Sprint("Name ", n) }},
}

// The Kratos that are compared, by their place.
const (
	noHooks = iota
	instantHooks
	holdlineHooks
	kratosKinds
)

var kratosLabels = [kratosKinds]string{"no hooks", "instant hooks", "Holdline's hooks"}

// submitSite is three Kratos that differ in their hooks.
type submitSite struct {
	kratos  [kratosKinds]*kratos
	variant *variant // the Holdline of the last one
	doubles doubles
	client  *http.Client
}

// submitsResult is what settings forms took.
type submitsResult struct {
	submits int
	took    [][kratosKinds][]float64 // ms, by the form
	tally   tally
	others  float64
}

// measureSubmits sends settings forms to each Kratos in turn.
func measureSubmits(ctx context.Context, b *bench) (_ section, err error) {
	site := &submitSite{client: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 4}}}
	defer func() { err = errors.Join(err, site.stop()) }()
	if err := site.start(ctx, b); err != nil {
		return nil, err
	}
	r := &submitsResult{submits: b.submits}
	programs := site.variant.programs()
	for _, k := range site.kratos[:holdlineHooks] {
		programs = append(programs, k.program)
	}
	from, err := usageOf(ctx, b.server, programs)
	if err != nil {
		return nil, err
	}
	for _, form := range settingsForms {
		b.say("a settings form that %s", form.name)
		took, err := site.measure(ctx, form, b.submits)
		if err != nil {
			return nil, fmt.Errorf("%s: %w\n%s", form.name, err, site.variant.lastWords())
		}
		r.took = append(r.took, took)
	}
	r.tally = site.variant.count()
	r.others, err = othersSince(ctx, b.server, programs, from)
	return r, err
}

func (s *submitSite) start(ctx context.Context, b *bench) error {
	instantURL, err := s.doubles.serve(ctx, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, "{}")
	}))
	if err != nil {
		return err
	}
	c := contender{name: "submits", realKratos: true, numbersAfter: 20_000_000}
	started, err := startVariant(ctx, b, c, nil)
	if err != nil {
		return err
	}
	s.variant = started.(*variant)
	s.kratos[holdlineHooks] = s.variant.target.(*kratos)
	instant, err := s.variant.replicas[0].kratosConfig(ctx, b.holdlineBin, instantURL)
	if err != nil {
		return err
	}
	for i, hooks := range [][]byte{noHooks: nil, instantHooks: instant} {
		home := filepath.Join(b.dir, fmt.Sprint("kratos-", i))
		if err := os.Mkdir(home, 0o700); err != nil {
			return err
		}
		if s.kratos[i], err = b.newKratos(ctx, home, "kratos"); err != nil {
			return err
		}
		if err := s.kratos[i].start(ctx, s.client, hooks); err != nil {
			return err
		}
	}
	return nil
}

func (s *submitSite) stop() error {
	var faults []error
	for _, k := range s.kratos[:holdlineHooks] {
		if k != nil && k.program != nil {
			faults = append(faults, k.stop())
		}
	}
	if s.variant != nil {
		faults = append(faults, s.variant.stop())
	}
	return errors.Join(append(faults, s.doubles.stop())...)
}

// measure sends a form so often to each Kratos. Which comes first changes from round to
// round.
func (s *submitSite) measure(ctx context.Context, form settingsForm, submits int) (took [kratosKinds][]float64, err error) {
	var people [kratosKinds]person
	for round := range warmUps + submits {
		for turn := range kratosKinds {
			which := (turn + round) % kratosKinds
			if form.number || round == 0 {
				if people[which], err = s.variant.newcomer(ctx); err != nil {
					return took, err
				}
			}
			d, err := s.submit(ctx, form, which, people[which], round)
			if err != nil {
				return took, err
			}
			if round >= warmUps {
				took[which] = append(took[which], millis(d))
			}
		}
	}
	return took, nil
}

// submit sends one form, and returns what it took until the answer was read. The
// answer must be right.
func (s *submitSite) submit(ctx context.Context, form settingsForm, which int, p person, n int) (time.Duration, error) {
	action, err := s.kratos[which].open(ctx, p)
	if err != nil {
		return 0, err
	}
	sent, want := p.was, p.was
	if form.number {
		sent = p.mobile
		if which != holdlineHooks {
			want = p.mobile
		}
	}
	began := time.Now()
	saved, err := s.kratos[which].submit(ctx, p, action, p.traits(form.display(n), sent))
	took := time.Since(began)
	if err == nil && saved.Traits.Mobile != want {
		err = fmt.Errorf("%s: the number is another than it should be", kratosLabels[which])
	}
	if err != nil || !form.number || which != holdlineHooks {
		return took, err
	}
	if pending := saved.MetadataPublic["pendingMobileNumber"]; pending != p.mobile {
		return took, errors.New("the number is not pending")
	}
	return took, s.variant.texted(ctx, p)
}

// texted waits until the code has come, and Holdline has nothing left to do.
func (v *variant) texted(ctx context.Context, p person) error {
	v.tally.changes++
	v.tally.expected[p.mobile]++
	patient, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if _, err := v.provider.Code(patient, p.mobile); err != nil {
		return fmt.Errorf("no code came: %w", err)
	}
	for {
		var queued int
		err := v.bench.server.QueryRowContext(patient, "SELECT COUNT(*) FROM "+v.database+".texts WHERE state = 'queued'").Scan(&queued)
		if err != nil || queued == 0 {
			return err
		}
		if err := wait(patient, time.Millisecond); err != nil {
			return err
		}
	}
}

func (r *submitsResult) fault() error { return r.tally.fault() }

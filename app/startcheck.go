package app

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/holdline/holdline/doctor"
)

// examine says in the log what the doctor finds without a kratos.yml: at once what
// is in the configuration and at the database, and what each realm's Kratos shows
// once it answers. That one does not is said elsewhere.
func (p *program) examine(ctx context.Context) error {
	realms, err := examined(p.cfg)
	if err != nil {
		realms = nil // no address for hooks: nobody can have printed the lines of kratos.yml
	}
	check := newStartCheck(setupOf(p.cfg), realms)
	say := func(seen map[string]doctor.Kratos) {
		p.warn(ctx, check.next(switched(p.switches.Policy(), time.Until(p.clock.Now())), seen))
	}
	say(nil)
	ticker := time.NewTicker(schemaInterval)
	defer ticker.Stop()
	for len(check.waiting) > 0 {
		say(lookAtKratos(ctx, p.cfg, doctor.NewLooker(p.cfg.Kratos.Timeout, time.Now), check.waiting))
		if len(check.waiting) == 0 {
			return nil
		}
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
	return nil
}

// startCheck keeps what was said, so that nothing is said twice.
type startCheck struct {
	setup   doctor.Setup
	realms  []doctor.Realm
	waiting []doctor.Realm // whose Kratos has not answered yet
	said    []doctor.Finding
}

func newStartCheck(setup doctor.Setup, realms []doctor.Realm) *startCheck {
	return &startCheck{setup: setup, realms: realms, waiting: slices.Clone(realms)}
}

// next returns what was not found before. A Kratos that answers in part is looked
// at again another time.
func (c *startCheck) next(database doctor.Database, seen map[string]doctor.Kratos) []doctor.Finding {
	answered := maps.Clone(seen)
	maps.DeleteFunc(answered, func(_ string, kratos doctor.Kratos) bool {
		return kratos.PublicErr != nil || kratos.AdminErr != nil
	})
	c.waiting = slices.DeleteFunc(c.waiting, func(r doctor.Realm) bool {
		_, known := answered[r.Name]
		return known
	})
	found := doctor.Examine(doctor.View{
		Setup: c.setup, Realms: c.realms, Live: &doctor.Live{Database: database, Kratos: answered}, Serving: true,
	})
	found = slices.DeleteFunc(found, func(f doctor.Finding) bool {
		return slices.ContainsFunc(c.said, func(earlier doctor.Finding) bool {
			return earlier.ID == f.ID && earlier.Realm == f.Realm && earlier.Place == f.Place
		})
	})
	c.said = append(c.said, found...)
	return found
}

// warn logs findings. docs/doctor.md says more of each.
func (p *program) warn(ctx context.Context, findings []doctor.Finding) {
	for _, f := range findings {
		p.log.WarnContext(ctx, "found in the set-up", "finding", f.ID, "effect", string(f.Effect), "at", f.Place.Key,
			"realm", f.Realm, "what", f.What, "detail", f.Detail, "change", f.Change)
	}
}

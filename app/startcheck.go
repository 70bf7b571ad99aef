package app

import (
	"context"
	"slices"
	"time"

	"github.com/holdline/holdline/doctor"
)

// examine says in the log what the doctor finds without a kratos.yml: at once what
// is in the configuration and at the database, and what each Kratos shows once all
// of them answer. That one does not is said elsewhere.
func (p *program) examine(ctx context.Context) error {
	database := switched(p.switches.Policy(), time.Until(p.clock.Now()))
	said := doctor.Examine(doctor.View{Setup: setupOf(p.cfg), Live: &doctor.Live{Database: database}, Serving: true})
	p.warn(ctx, said)
	realms, err := examined(p.cfg)
	if err != nil {
		return nil // no address for hooks: nobody can have printed the lines of kratos.yml
	}
	ticker := time.NewTicker(schemaInterval)
	defer ticker.Stop()
	for {
		seen := lookAtKratos(ctx, p.cfg, doctor.NewLooker(p.cfg.Kratos.Timeout, time.Now), realms)
		if !anyAway(seen) {
			database.Ahead = time.Until(p.clock.Now())
			found := doctor.Examine(doctor.View{
				Setup: setupOf(p.cfg), Realms: realms, Live: &doctor.Live{Database: database, Kratos: seen}, Serving: true,
			})
			p.warn(ctx, slices.DeleteFunc(found, func(f doctor.Finding) bool {
				return slices.ContainsFunc(said, func(earlier doctor.Finding) bool { return earlier.ID == f.ID && earlier.Place == f.Place })
			}))
			return nil
		}
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
}

func anyAway(seen map[string]doctor.Kratos) bool {
	for _, kratos := range seen {
		if kratos.PublicErr != nil || kratos.AdminErr != nil {
			return true
		}
	}
	return false
}

// warn logs findings. docs/doctor.md says more of each.
func (p *program) warn(ctx context.Context, findings []doctor.Finding) {
	for _, f := range findings {
		p.log.WarnContext(ctx, "found in the set-up", "finding", f.ID, "effect", string(f.Effect), "at", f.Place.Key,
			"realm", f.Realm, "what", f.What, "detail", f.Detail, "change", f.Change)
	}
}

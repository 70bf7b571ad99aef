package probe

import (
	"context"
	"log/slog"
	"maps"
	"slices"
	"time"

	"github.com/holdline/holdline/config"
	"github.com/holdline/holdline/doctor"
	"github.com/holdline/holdline/internal/claim"
)

// StartCheck says in the log what the doctor finds without a kratos.yml: at once
// what is in the configuration and at the database, and what each realm's Kratos
// shows once it answers. That one does not is said elsewhere.
type StartCheck struct {
	Config config.Config
	Policy func() claim.Policy // in force
	Now    func() time.Time    // the database's
	Log    *slog.Logger
}

// Run looks until everything was seen, or ctx ends.
func (c StartCheck) Run(ctx context.Context) error {
	realms, err := realmsOf(c.Config)
	if err != nil {
		realms = nil // no address for hooks: nobody can have printed the lines of kratos.yml
	}
	news := newReport(setupOf(c.Config), realms)
	tell := func(seen map[string]doctor.Kratos) {
		c.warn(ctx, news.next(databaseWith(c.Policy(), time.Until(c.Now())), seen))
	}
	tell(nil)
	ticker := time.NewTicker(checkInterval)
	defer ticker.Stop()
	for len(news.waiting) > 0 {
		tell(probeKratos(ctx, c.Config, NewProber(c.Config.Kratos.Timeout, time.Now), news.waiting))
		if len(news.waiting) == 0 {
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

// checkInterval is after how long a Kratos that did not answer is asked again.
const checkInterval = 4 * time.Minute

// report tells each finding once, however often servers are looked at.
type report struct {
	setup   doctor.Setup
	realms  []doctor.Realm
	waiting []doctor.Realm // whose Kratos has not answered yet
	told    []doctor.Finding
}

func newReport(setup doctor.Setup, realms []doctor.Realm) *report {
	return &report{setup: setup, realms: realms, waiting: slices.Clone(realms)}
}

// next returns what was not found before. A Kratos that answers in part is looked
// at again another time.
func (r *report) next(database doctor.Database, seen map[string]doctor.Kratos) []doctor.Finding {
	answered := maps.Clone(seen)
	maps.DeleteFunc(answered, func(_ string, kratos doctor.Kratos) bool {
		return kratos.PublicErr != nil || kratos.AdminErr != nil
	})
	r.waiting = slices.DeleteFunc(r.waiting, func(realm doctor.Realm) bool {
		_, known := answered[realm.Name]
		return known
	})
	found := doctor.Examine(doctor.Evidence{
		Setup: r.setup, Realms: r.realms, Live: &doctor.Live{Database: database, Kratos: answered}, Serving: true,
	})
	found = slices.DeleteFunc(found, func(f doctor.Finding) bool {
		return slices.ContainsFunc(r.told, func(earlier doctor.Finding) bool {
			return earlier.ID == f.ID && earlier.Realm == f.Realm && earlier.Place == f.Place
		})
	})
	r.told = append(r.told, found...)
	return found
}

// warn logs findings. docs/doctor.md says more of each.
func (c StartCheck) warn(ctx context.Context, findings []doctor.Finding) {
	for _, f := range findings {
		c.Log.WarnContext(ctx, "found in the set-up", "finding", f.ID, "effect", string(f.Effect), "at", f.Place.Key,
			"realm", f.Realm, "what", f.What, "detail", f.Detail, "change", f.Change)
	}
}

package probe

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/holdline/holdline/config"
	"github.com/holdline/holdline/doctor"
	"github.com/holdline/holdline/doctor/trial"
)

// TryOptions say how numbers are changed for a trial.
type TryOptions struct {
	Options
	Traits map[string]any // of the identity, in place of made ones
	// Begin hears what will run, before anything does. Its error is why nothing shall.
	Begin func(plan string) error
	Say   func(step string) // hears of each step
}

// trialPoll is how long to wait between two looks at what Kratos does in the background.
const trialPoll = 200 * time.Millisecond

// Try changes a number at the Kratos of each realm, with an identity of its own that is
// deleted afterwards. The report has a trial for each; the error says why there is none,
// or joins why some could not be made.
func Try(ctx context.Context, cfg config.Config, o TryOptions) (doctor.Report, error) {
	realms, err := realmsWith(cfg, o.KratosFiles)
	if err != nil {
		return doctor.Report{}, err
	}
	if err := o.Begin(plan(realms)); err != nil {
		return doctor.Report{}, err
	}
	var found []doctor.Finding
	var trials []doctor.Trial
	var faults []error
	for _, realm := range realms {
		seen, findings, err := tryRealm(ctx, cfg, realm, o)
		if err != nil {
			seen.Failed = err.Error()
			faults = append(faults, fmt.Errorf("--try, realm %s: %w", realm.Name, err))
		}
		if len(realms) > 1 {
			for i := range findings {
				findings[i].Realm = realm.Name
			}
		}
		trials, found = append(trials, seen), append(found, findings...)
	}
	report := doctor.NewReport(found, []string{"a change of number"})
	report.Trials = trials
	return report, errors.Join(faults...)
}

// plan says what will run.
func plan(realms []doctor.Realm) string {
	var text strings.Builder
	for _, realm := range realms {
		fmt.Fprintf(&text, "At Kratos (%s): an identity is made, signed in, its number changed in the settings flow, and\n"+
			"deleted. Holdline texts nobody, and uses none of its limits. ", doctor.Bare(realm.AdminURL))
		also := realm.AlsoRuns()
		switch {
		case realm.File == nil:
			text.WriteString("Webhooks of your own run too, as for anybody;\n--kratos-config shows which.\n")
		case len(also) == 0:
			text.WriteString("No webhooks of your own run.\n")
		default:
			text.WriteString("Of your own these run too:\n  " + strings.Join(also, "\n  ") + "\n")
		}
	}
	return text.String()
}

func tryRealm(ctx context.Context, cfg config.Config, realm doctor.Realm, o TryOptions) (doctor.Trial, []doctor.Finding, error) {
	none := doctor.Trial{Realm: realm.Name}
	schemas := schemasOf(ctx, cfg, realm)
	if schemas == nil {
		return none, nil, errors.New("Kratos does not show its identity schemas")
	}
	id, described := chooseSchema(realm, schemas)
	if id == "" {
		return none, nil, fmt.Errorf("Kratos has no identity schema %s", realm.DefaultSchema())
	}
	if !described {
		none.Failed = fmt.Sprintf("the identity schema %s has no trait %s", id, realm.Hook.MobileTrait)
		return none, []doctor.Finding{realm.TraitMissing(id)}, nil
	}
	seen, err := trial.Run(ctx, trial.Options{
		Realm: realm, SchemaID: id, Schema: schemas[id], Traits: o.Traits, Now: time.Now, Say: o.Say, Poll: trialPoll,
	})
	return seen, realm.CheckTrial(seen), err
}

// chooseSchema takes the default one or, where nobody says which that is, the first with
// the trait.
func chooseSchema(realm doctor.Realm, schemas map[string]map[string]any) (id string, hasTrait bool) {
	if id = realm.DefaultSchema(); id != "" {
		_, known := schemas[id]
		if !known {
			return "", false
		}
		return id, realm.Describe(schemas[id]).Known
	}
	for _, id = range slices.Sorted(maps.Keys(schemas)) {
		if realm.Describe(schemas[id]).Known {
			return id, true
		}
	}
	return id, false
}

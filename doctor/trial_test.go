package doctor_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/holdline/holdline/doctor"
)

// tried is a trial in which nothing is wrong.
func tried(change func(*doctor.Trial)) doctor.Trial {
	t := doctor.Trial{
		Realm: "PRIMARY", Identity: "i", Kept: true, Shown: true, Verifiable: true, StillVerified: true, Staged: 1, Activated: 1, Held: true, Complete: true,
	}
	change(&t)
	return t
}

// trials are what a change of number came to, and all that is found then.
var trials = map[string]struct {
	seen         doctor.Trial
	finds, warns []string
	says         string
}{
	"it is held":       {tried(func(*doctor.Trial) {}), nil, nil, ""},
	"nothing was seen": {tried(func(t *doctor.Trial) { *t = doctor.Trial{Failed: "Kratos is away"} }), nil, nil, ""},
	"no hook was called": {
		tried(func(t *doctor.Trial) {
			t.Written, t.Kept, t.Shown, t.Staged, t.Activated, t.Held = true, false, false, 0, 0, false
		}),
		[]string{"try-written-at-once"},
		nil, "No call of the stage hook",
	},
	"the answer was not heeded": {
		tried(func(t *doctor.Trial) { t.Written, t.Kept, t.Shown = true, false, false }), []string{"try-written-at-once"}, nil, "response: {parse: true}",
	},
	"Holdline let it through": {
		tried(func(t *doctor.Trial) { t.Written, t.Kept, t.Shown, t.Held = true, false, false, false }), []string{"verification-off"}, nil, "",
	},
	"it was refused": {
		tried(func(t *doctor.Trial) { t.Refused, t.Shown, t.Staged, t.Held = "no answer.", false, 0, false }),
		[]string{"try-refused"},
		nil, "It says: no answer. No call",
	},
	"another one held it": {
		tried(func(t *doctor.Trial) { t.Staged, t.Activated, t.Held = 0, 0, false }), []string{"try-other-holdline"}, nil, "",
	},
	"nobody said that it was stored": {
		tried(func(t *doctor.Trial) { t.Activated = 0 }), []string{"try-not-activated"}, nil, "/hooks/settings/activate",
	},
	"the old number lost its mark": {
		tried(func(t *doctor.Trial) { t.StillVerified = false }), []string{"try-old-number-unverified"}, nil, "",
	},
	"the old number had no mark": {
		tried(func(t *doctor.Trial) { t.Verifiable, t.StillVerified = false, false }), nil, nil, "",
	},
	"nothing shows that it is pending": {
		tried(func(t *doctor.Trial) { t.Shown = false }), nil, []string{"try-not-shown"}, "",
	},
	"it is not deleted": {
		tried(func(t *doctor.Trial) { t.Left = "it answers 500" }), []string{"try-identity-left"}, nil, "Its id is i. It answers 500.",
	},
}

func TestATrialIsRuledOn(t *testing.T) {
	r := well(t).Realms[0]
	for name, tt := range trials {
		t.Run(name, func(t *testing.T) {
			found := r.CheckTrial(tt.seen)
			if got := ids(found, doctor.Failure); !slices.Equal(got, tt.finds) {
				t.Errorf("failures %v, want %v", got, tt.finds)
			}
			if got := ids(found, doctor.Warning); !slices.Equal(got, tt.warns) {
				t.Errorf("warnings %v, want %v", got, tt.warns)
			}
			report := doctor.NewReport(found, nil)
			report.Trials = []doctor.Trial{tt.seen}
			var printed strings.Builder
			if err := report.WriteText(&printed); err != nil {
				t.Fatal(err)
			}
			if text := strings.Join(strings.Fields(printed.String()), " "); !strings.Contains(text, tt.says) || !strings.Contains(text, "TRIED realm") {
				t.Errorf("%q is not in:\n%s", tt.says, &printed)
			}
			for _, f := range found {
				if strings.Contains(strings.Join(f.Lines, ""), r.Hook.Key) {
					t.Errorf("%s shows the key", f.ID)
				}
			}
		})
	}
}

// What of the operator's own a trial sets off is known beforehand.
func TestATrialSaysWhatElseRuns(t *testing.T) {
	tree := good(t)
	own := []any{map[string]any{"hook": "web_hook", "config": map[string]any{"url": "https://me:hunter2@crm.example.com/signed-in?key=hunter2", "method": "POST"}}}
	edit{Set: "selfservice.flows.login.after.password.hooks", To: own}.apply(t, tree, "")
	edit{Set: "selfservice.flows.settings.before.hooks", To: []any{map[string]any{"hook": "web_hook", "config": map[string]any{"url": "https://audit.example.com/"}}}}.apply(t, tree, "")
	r := realm()
	if got := r.AlsoRuns(); got != nil {
		t.Errorf("got %q without a file", got)
	}
	r.File = kratosYML(t, fill(t, t.TempDir(), tree))
	want := []string{"login.after.password.hooks: web_hook https://crm.example.com/signed-in", "settings.before.hooks: web_hook https://audit.example.com/"}
	if got := r.AlsoRuns(); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

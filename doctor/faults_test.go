package doctor_test

import (
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/holdline/holdline/doctor"
)

// fault is a file of testdata: small edits of the good kratos.yml, and all that is
// found then.
type fault struct {
	Finds, Warns []string
	Edits        []edit
}

func faults(t *testing.T, dir string) map[string]fault {
	t.Helper()
	names, err := filepath.Glob(filepath.Join("testdata", dir, "*.yml"))
	if err != nil || len(names) == 0 {
		t.Fatalf("%d files, %v", len(names), err)
	}
	all := map[string]fault{}
	for _, name := range names {
		var f fault
		if err := yaml.Unmarshal(read(t, name), &f); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		all[strings.TrimSuffix(filepath.Base(name), ".yml")] = f
	}
	return all
}

// examine looks at an edited kratos.yml.
func examine(t *testing.T, f fault) []doctor.Finding {
	t.Helper()
	tree, dir := good(t), t.TempDir()
	for _, e := range f.Edits {
		e.apply(t, tree, dir)
	}
	r := realm()
	r.File = kratosYML(t, fill(t, dir, tree))
	return doctor.Examine(doctor.Evidence{Setup: setup(), Realms: []doctor.Realm{r}})
}

func TestEachFaultIsFoundAlone(t *testing.T) {
	for name, f := range faults(t, "faults") {
		t.Run(name, func(t *testing.T) {
			found := examine(t, f)
			if got := ids(found, doctor.Failure); !slices.Equal(got, f.Finds) {
				t.Errorf("failures %v, want %v", got, f.Finds)
			}
			if got := ids(found, doctor.Warning); !slices.Equal(got, f.Warns) {
				t.Errorf("warnings %v, want %v", got, f.Warns)
			}
			for _, one := range found {
				if one.Place.File == "" || one.Place.Key == "" {
					t.Errorf("%s is found nowhere: %+v", one.ID, one.Place)
				}
			}
		})
	}
}

// A template cannot be stopped, only left behind: one of a hook is enough.
func TestATemplateThatDoesNotEndIsTriedOnce(t *testing.T) {
	before := runtime.NumGoroutine()
	found := examine(t, fault{Edits: []edit{{
		In:      "selfservice.flows.settings.after.profile.hooks[0].config.body",
		Replace: "function(ctx)",
		By:      "local slow(n) = if n == 0 then 0 else slow(n - 1) + slow(n - 1); function(ctx) if slow(99) == 1 then {} else",
	}}})
	if got := ids(found, doctor.Failure); !slices.Equal(got, []string{"jsonnet-wrong"}) {
		t.Errorf("failures %v", got)
	}
	if left := runtime.NumGoroutine() - before; left > 1 {
		t.Errorf("%d were left behind", left)
	}
}

func TestNothingIsFoundWhereNothingIsWrong(t *testing.T) {
	for name, f := range faults(t, "sound") {
		t.Run(name, func(t *testing.T) {
			for _, one := range examine(t, f) {
				t.Errorf("found %s at %s: %s %s", one.ID, one.Place, one.What, one.Detail)
			}
		})
	}
}

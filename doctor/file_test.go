package doctor_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/holdline/holdline/doctor"
	"github.com/holdline/holdline/hook"
)

func write(t *testing.T, name, content string) string {
	t.Helper()
	name = filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// seen are the findings in files, without servers.
func seen(t *testing.T, names ...string) map[string]doctor.Place {
	t.Helper()
	r := realm()
	r.File = kratosYML(t, names...)
	places := map[string]doctor.Place{}
	for _, f := range doctor.Examine(doctor.Evidence{Setup: setup(), Realms: []doctor.Realm{r}}) {
		places[f.ID] = f.Place
	}
	return places
}

func TestFilesAreMergedAsKratosDoes(t *testing.T) {
	printed, err := hook.KratosConfig(realm().Hook)
	if err != nil {
		t.Fatal(err)
	}
	base := fill(t, t.TempDir(), parse(t, read(t, "../e2e/testdata/kratos.yml")))
	operator, holdline := write(t, "operator.yaml", string(read(t, "testdata/operator.yml"))), write(t, "holdline.yml", string(printed))
	own := write(t, "own.json", `{"selfservice": {"flows": {"settings": {"after": {"profile": {"hooks": [{"hook": "show_verification_ui"}]}}}}}}`)

	if found := seen(t, base, operator, holdline, own); found["stage-hook-missing"] != (doctor.Place{
		File: own, Line: 1, Key: "selfservice.flows.settings.after.profile.hooks",
	}) {
		t.Errorf("a later list replaces Holdline's: %v", found)
	}
	if _, missing := seen(t, base, operator, own, holdline)["stage-hook-missing"]; missing {
		t.Error("Holdline's list comes last, and is not seen")
	}
}

func TestAFindingNamesTheLineThatCounts(t *testing.T) {
	first := write(t, "first.yml", "session:\n  cookie:\n    name: first\n")
	second := write(t, "second.yml", "# The later one counts.\nsession:\n  whoami:\n    required_aal: aal1\n  cookie:\n    name: second\n")
	third := write(t, "third.yml", "log:\n  level: warning\n")
	found := seen(t, first, second, third)
	for id, want := range map[string]doctor.Place{
		"session-cookie-name":          {File: second, Line: 6, Key: "session.cookie.name"},
		"whoami-without-second-factor": {File: second, Line: 4, Key: "session.whoami.required_aal"},
		"stage-hook-missing":           {File: first, Key: "selfservice.flows.settings.after.profile.hooks"}, // nothing of it is there
		"session-cookie-domain":        {},                                                                   // serve.public.base_url is not given: one host
	} {
		if found[id] != want {
			t.Errorf("%s at %v, want %v", id, found[id], want)
		}
	}
}

func TestAnchorsAreFollowed(t *testing.T) {
	anchored := write(t, "kratos.yml", "x: &cookie {name: other}\nsession: {cookie: *cookie}\n")
	if place := seen(t, anchored)["session-cookie-name"]; place.Line != 1 {
		t.Errorf("at %v", place)
	}
}

func TestWhatCannotBeReadIsSaidWithoutItsContent(t *testing.T) {
	for name, tt := range map[string]struct{ file, want string }{
		"no YAML":    {write(t, "kratos.yml", "secrets: [hunter2\n"), "is not YAML or JSON"},
		"no object":  {write(t, "kratos.yml", "[hunter2]"), "is not YAML or JSON"},
		"TOML":       {write(t, "kratos.toml", "hunter2 = 1"), "must end in .yml, .yaml or .json"},
		"no file":    {filepath.Join(t.TempDir(), "kratos.yml"), "no such file"},
		"other YAML": {write(t, "kratos.yml", "a: 1\na: hunter2\n"), "is not YAML or JSON"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := doctor.ReadKratos(tt.file)
			if err == nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "hunter2") {
				t.Errorf("got %v", err)
			}
		})
	}
}

// A broken file of any shape is no reason to fall over.
func TestOddShapesAreNoFault(t *testing.T) {
	for _, content := range []string{
		"", "selfservice: []", "selfservice: {flows: {settings: {after: {profile: {hooks: {a: 1}}}}}}",
		"selfservice: {flows: {settings: {after: {profile: {hooks: [1, null, {hook: 2, config: text}, {hook: web_hook, config: {url: 7, auth: [], headers: 1}}]}}}}}",
		"identity: {schemas: [1, {id: 2, url: 3}]}\nsession: text\nclients: {http: {disallow_private_ip_ranges: maybe}}",
	} {
		if found := seen(t, write(t, "kratos.yml", content)); found["stage-hook-missing"].Key == "" {
			t.Errorf("%q: found %v", content, found)
		}
	}
}

package doctor_test

import (
	"encoding/base64"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/knadh/koanf/maps"
	"go.yaml.in/yaml/v3"

	"github.com/holdline/holdline/doctor"
	"github.com/holdline/holdline/hook"
	"github.com/holdline/holdline/kratos"
)

// hookKey is one that nobody guesses.
const hookKey = "the hook key of the doctor's tests"

// realm is how the tests' Holdline is configured for its Kratos.
func realm() doctor.Realm {
	return doctor.Realm{
		Name: "PRIMARY", Key: "kratos",
		Keys: doctor.RealmKeys{HookKey: "hooks.api_key", SessionCookie: "kratos.session_cookie", MobileTrait: "kratos.mobile_trait"},
		Hook: hook.Setup{
			BaseURL: "http://127.0.0.1:4478", Key: hookKey, MobileTrait: "mobile", PendingKey: "pendingMobileNumber",
			LocaleTrait: "locale", ReturnURL: "https://id.example.com/verify", Changed: true,
		},
		PreviousKey: "the key before the doctor's tests",
		PublicURL:   "http://127.0.0.1:4433", BrowserURL: "https://id.example.com", AdminURL: "http://127.0.0.1:4434",
		SessionCookie: "ory_kratos_session", SessionAge: 15 * time.Minute,
		Page: "https://id.example.com/verify", PublicListener: "127.0.0.1:4477",
		Describe: func(schema map[string]any) doctor.Trait {
			return doctor.Trait(kratos.DescribeTrait(schema, "mobile"))
		},
	}
}

const staffKey = "the hook key of the staff's Kratos"

// staff is a further realm.
func staff() doctor.Realm {
	r := realm()
	r.Name, r.Key, r.Hook.Key, r.Hook.Changed = "STAFF", "realms[0]", staffKey, false
	return r
}

// setup is a Holdline that nothing is wrong with.
func setup() doctor.Setup {
	return doctor.Setup{
		AdminHost: "127.0.0.1", SCIM: true, Codes: 1_000_000,
		Secrets:   []doctor.Secret{{Key: "hooks.api_key", Value: hookKey}},
		Addresses: []doctor.Address{{Key: "public.base_url", URL: "https://id.example.com"}, {Key: "kratos.admin_url", URL: "http://127.0.0.1:4434"}},
	}
}

// good is the kratos.yml of the end-to-end tests, with what kratos-config prints
// and what an operator adds.
func good(t *testing.T) map[string]any {
	t.Helper()
	printed, err := hook.KratosConfig(realm().Hook)
	if err != nil {
		t.Fatal(err)
	}
	tree := parse(t, read(t, "../e2e/testdata/kratos.yml"))
	maps.Merge(parse(t, printed), tree)
	maps.Merge(parse(t, read(t, "testdata/operator.yml")), tree)
	return tree
}

func read(t *testing.T, name string) []byte {
	t.Helper()
	content, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return content
}

func parse(t *testing.T, content []byte) map[string]any {
	t.Helper()
	var tree map[string]any
	if err := yaml.Unmarshal(content, &tree); err != nil {
		t.Fatalf("%v in\n%s", err, content)
	}
	return tree
}

// fill puts a kratos.yml into a folder, and the schemas that it names.
func fill(t *testing.T, dir string, tree map[string]any) (name string) {
	t.Helper()
	content, err := yaml.Marshal(tree)
	if err != nil {
		t.Fatal(err)
	}
	files := map[string][]byte{"kratos.yml": content}
	schemas, _ := filepath.Glob("../e2e/testdata/*.schema.json")
	for _, schema := range schemas {
		files[filepath.Base(schema)] = read(t, schema)
	}
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return filepath.Join(dir, "kratos.yml")
}

// kratosYML reads a file as the command does.
func kratosYML(t *testing.T, names ...string) *doctor.File {
	t.Helper()
	f, err := doctor.ReadKratos(names...)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// ids are the findings of a severity, each once.
func ids(found []doctor.Finding, severity doctor.Severity) []string {
	var all []string
	for _, f := range found {
		if f.Severity == severity {
			all = append(all, f.ID)
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// edit is a small change of a kratos.yml.
type edit struct {
	Set, Remove, Move, Copy, In, File string // keys
	To                                any
	Replace, By                       string
}

// apply makes the change; a place that is not there fails the test.
func (e edit) apply(t *testing.T, tree map[string]any, dir string) {
	t.Helper()
	to, _ := e.To.(string)
	switch {
	case e.Set != "":
		put(t, tree, e.Set, e.To)
	case e.Remove != "":
		take(t, tree, e.Remove)
	case e.Move != "":
		put(t, tree, to, take(t, tree, e.Move))
	case e.Copy != "":
		value := take(t, tree, e.Copy)
		put(t, tree, e.Copy, value)
		put(t, tree, to, clone(t, value))
	case e.In != "":
		source := inline(t, take(t, tree, e.In))
		if !strings.Contains(source, e.Replace) {
			t.Fatalf("%q is not in\n%s", e.Replace, source)
		}
		put(t, tree, e.In, "base64://"+base64.StdEncoding.EncodeToString([]byte(strings.Replace(source, e.Replace, e.By, 1))))
	case e.File != "":
		source := inline(t, take(t, tree, e.File))
		if err := os.WriteFile(filepath.Join(dir, "hook.jsonnet"), []byte(source), 0o600); err != nil {
			t.Fatal(err)
		}
		put(t, tree, e.File, "file://./hook.jsonnet")
	}
}

func inline(t *testing.T, body any) string {
	t.Helper()
	text, _ := body.(string)
	source, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(text, "base64://"))
	if err != nil {
		t.Fatal(err)
	}
	return string(source)
}

func clone(t *testing.T, value any) any {
	t.Helper()
	text, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	var copied any
	if err := json.Unmarshal(text, &copied); err != nil {
		t.Fatal(err)
	}
	return copied
}

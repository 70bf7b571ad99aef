package docs_test

import (
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// defaults reads what docs/configuration.md, which is generated, says of each key.
func defaults(t *testing.T) map[string]string {
	t.Helper()
	page, err := os.ReadFile("configuration.md")
	if err != nil {
		t.Fatal(err)
	}
	keys := map[string]string{}
	for _, row := range regexp.MustCompile("(?m)^\\| `([a-z_.]+)`(?: \\(`--[^|]*)? \\|([^|]*)\\|[^|]*\\|$").FindAllStringSubmatch(string(page), -1) {
		keys[row[1]] = strings.Trim(row[2], " `")
	}
	if len(keys) < 80 {
		t.Fatalf("only %d keys were found", len(keys))
	}
	return keys
}

var (
	dotted   = regexp.MustCompile("`([a-z_]+(?:\\.[a-z_]+)+)`")
	valued   = regexp.MustCompile("`([a-z_]+(?:\\.[a-z_]+)+)` \\((\\d+)(?: (\\w+))?\\)")
	quantity = regexp.MustCompile(`(\d+)(?: (s|min)\b)?`)
	metric   = regexp.MustCompile("`(holdline_[a-z_]+)[`{]")
)

// is reports whether a number with its unit is a default as it is generated.
func is(number, unit, value string) bool {
	size := map[string]time.Duration{
		"s": time.Second, "seconds": time.Second, "min": time.Minute, "minutes": time.Minute, "hours": time.Hour, "days": 24 * time.Hour,
	}[unit]
	n, err := strconv.Atoi(number)
	switch {
	case err != nil:
		return false
	case unit == "MiB":
		return strconv.Itoa(n<<20) == value
	case size == 0:
		return number == value
	}
	got, err := time.ParseDuration(value)
	return err == nil && time.Duration(n)*size == got
}

// A key of the configuration that a document names is there, and has the default
// that stands behind it in brackets. Sections that only Kratos has are Kratos' own.
func TestTheDocumentsNameKeysAndDefaultsThatExist(t *testing.T) {
	keys := defaults(t)
	known := func(name string) bool {
		name = strings.TrimSuffix(name, "_file")
		_, ok := keys[name]
		for key := range keys {
			ok = ok || strings.HasPrefix(key, name+".")
		}
		return ok
	}
	seen, compared := 0, 0
	for _, d := range documents(t) {
		if d.name == "CHANGELOG.md" { // which tells of keys that were
			continue
		}
		source, err := os.ReadFile("../" + d.name)
		if err != nil {
			t.Fatal(err)
		}
		for _, found := range dotted.FindAllStringSubmatch(string(source), -1) {
			section, _, _ := strings.Cut(found[1], ".")
			if !known(section) || found[1] == "kratos.yml" || found[1] == "sms.outbound" { // a file's name, and a provider's word
				continue
			}
			seen++
			if !known(found[1]) {
				t.Errorf("%s: there is no key %s", d.name, found[1])
			}
		}
		for _, found := range valued.FindAllStringSubmatch(string(source), -1) {
			if value, ok := keys[found[1]]; ok {
				compared++
				if !is(found[2], found[3], value) {
					t.Errorf("%s: the default of %s is %s, not %s %s", d.name, found[1], value, found[2], found[3])
				}
			}
		}
	}
	if seen < 40 || compared < 4 {
		t.Errorf("only %d keys and %d defaults were seen", seen, compared)
	}
}

// Each limit is in the table of docs/security.md with its default.
func TestEveryLimitIsDocumentedWithItsDefault(t *testing.T) {
	page, err := os.ReadFile("security.md")
	if err != nil {
		t.Fatal(err)
	}
	missing := map[string]bool{}
	keys := defaults(t)
	for key := range keys {
		if strings.HasPrefix(key, "limits.") {
			missing[key] = true
		}
	}
	for _, row := range regexp.MustCompile("(?m)^\\|[^|]*\\| (`limits\\.[^|]*) \\| ([^|]*) \\|$").FindAllStringSubmatch(string(page), -1) {
		numbers := quantity.FindAllStringSubmatch(row[2], -1)
		for i, key := range dotted.FindAllStringSubmatch(row[1], -1) {
			delete(missing, key[1])
			if i >= len(numbers) || !is(numbers[i][1], numbers[i][2], keys[key[1]]) {
				t.Errorf("the default of %s is %s; the table says %s", key[1], keys[key[1]], row[2])
			}
		}
	}
	for key := range missing {
		t.Errorf("%s is not in the table", key)
	}
}

// A metric that a document names is in docs/metrics.md, which is held against the
// program.
func TestTheDocumentsNameMetricsThatExist(t *testing.T) {
	page, err := os.ReadFile("metrics.md")
	if err != nil {
		t.Fatal(err)
	}
	var known []string
	for _, row := range regexp.MustCompile("(?m)^\\| `(holdline_[a-z_]+)` \\|").FindAllStringSubmatch(string(page), -1) {
		known = append(known, row[1])
	}
	seen := 0
	for _, d := range documents(t) {
		source, err := os.ReadFile("../" + d.name)
		if err != nil {
			t.Fatal(err)
		}
		for _, found := range metric.FindAllStringSubmatch(string(source), -1) {
			seen++
			if !slices.Contains(known, found[1]) && d.name != "CHANGELOG.md" && found[1] != "holdline_privileged" {
				t.Errorf("%s: there is no metric %s", d.name, found[1])
			}
		}
	}
	if seen < 25 {
		t.Errorf("only %d metrics were seen", seen)
	}
}

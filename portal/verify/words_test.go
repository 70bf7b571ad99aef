package verify_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"golang.org/x/text/feature/plural"
	"golang.org/x/text/language"
)

type pageMessage map[string]string

// UnmarshalJSON reads a plain message as one with the form "other" alone.
func (m *pageMessage) UnmarshalJSON(raw []byte) error {
	var text string
	if json.Unmarshal(raw, &text) == nil {
		*m = pageMessage{"other": text}
		return nil
	}
	return json.Unmarshal(raw, (*map[string]string)(m))
}

func messagesOf(t *testing.T, name string) map[string]pageMessage {
	t.Helper()
	raw, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]pageMessage{}
	if err := json.Unmarshal(raw, &found); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return found
}

var places = regexp.MustCompile(`\{\{[^}]*\}\}`)

func placesIn(text string) []string {
	found := places.FindAllString(text, -1)
	slices.Sort(found)
	return found
}

func TestEveryLanguageSaysEverything(t *testing.T) {
	names, err := filepath.Glob("messages/active.*.json")
	if err != nil || len(names) != 10 {
		t.Fatalf("got %d languages, want 10: %v", len(names), err)
	}
	english := messagesOf(t, "messages/active.en.json")
	for _, name := range names {
		tag := strings.TrimSuffix(strings.TrimPrefix(filepath.Base(name), "active."), ".json")
		t.Run(tag, func(t *testing.T) {
			own := messagesOf(t, name)
			for id := range own {
				if _, ok := english[id]; !ok {
					t.Errorf("%s is not said in English", id)
				}
			}
			for id, want := range english {
				if own[id]["other"] == "" {
					t.Errorf("%s is missing", id)
				}
				for form, text := range own[id] {
					if strings.ContainsAny(text, "<>&") {
						t.Errorf("%s has markup: %s", id, text)
					}
					got := placesIn(text)
					// "one try" may do without the number.
					if !slices.Equal(got, placesIn(want["other"])) && (len(got) > 0 || !slices.Contains([]string{"zero", "one", "two"}, form)) {
						t.Errorf("%s (%s) has the places %q, want %q", id, form, got, placesIn(want["other"]))
					}
				}
				if len(want) == 1 {
					continue
				}
				for n := range 200 {
					if form := formOf(tag, n); own[id][form] == "" {
						t.Errorf("%s lacks the form %s, for %d", id, form, n)
						break
					}
				}
			}
		})
	}
}

// formOf names the plural form of a number in a language.
func formOf(tag string, n int) string {
	form := plural.Cardinal.MatchPlural(language.Make(tag), n, 0, 0, 0, 0)
	return []string{"other", "zero", "one", "two", "few", "many"}[form]
}

// Every message that the pages and the code name is there, and every message is
// named somewhere.
func TestEveryMessageIsUsed(t *testing.T) {
	var source strings.Builder
	for _, pattern := range []string{"*.go", "templates/*"} {
		names, _ := filepath.Glob(pattern)
		for _, name := range names {
			if strings.HasSuffix(name, "_test.go") {
				continue
			}
			content, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			source.Write(content)
		}
	}
	english := messagesOf(t, "messages/active.en.json")
	for id := range english {
		if !strings.Contains(source.String(), `"`+id+`"`) {
			t.Errorf("%s is said nowhere", id)
		}
	}
	for _, named := range regexp.MustCompile(`\.[HNT] "([^"]+)"`).FindAllStringSubmatch(source.String(), -1) {
		if _, ok := english[named[1]]; !ok {
			t.Errorf("nothing is said under %s", named[1])
		}
	}
}

package web_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/holdline/holdline/internal/claim"
	"github.com/holdline/holdline/internal/phone"
	"github.com/holdline/holdline/internal/problem"
	"github.com/holdline/holdline/internal/web"
)

var languages = []string{"ar", "de", "en", "es", "fr", "hi", "ja", "pt", "si", "ta"}

var numberFaults = []phone.Fault{
	phone.NotANumber, phone.NoCallingCode, phone.HasExtension, phone.SeveralNumbers, phone.TooShort, phone.TooLong,
	phone.WrongLength, phone.LocalOnly, phone.ServiceNumber,
}

func TestEveryRefusalHasASentenceInEveryLanguage(t *testing.T) {
	for _, lang := range languages {
		said := map[string]string{}
		for _, fault := range numberFaults {
			err := fmt.Errorf("while testing: %w", &phone.Error{Fault: fault, CallingCode: "49"})
			got := web.ProblemFor(err, lang)
			if got.Status != 400 || got.Code != "HLD-40002" || got.Description == "" || strings.ContainsAny(got.Description, "{}<>") {
				t.Errorf("%s: %s is %+v", lang, fault, got)
			}
			if other := said[got.Description]; other != "" {
				t.Errorf("%s: %s is said as %s is", lang, fault, other)
			}
			said[got.Description] = string(fault)
		}
		for _, err := range []error{
			phone.ErrNumberNotServed, claim.ErrRemovalDenied, claim.ErrSessionTooOld, claim.ErrBeingApplied,
			claim.ErrTooSoon, claim.ErrTooManyTexts, claim.ErrCallingCodeFull, problem.ErrStoreUnavailable,
			claim.ErrStaleForm, web.ErrDigits, web.ErrDigits,
		} {
			got := web.FormProblem(err, lang).Description
			if english := web.FormProblem(err, "en").Description; got == "" || lang != "en" && got == english {
				t.Errorf("%s: %v is %q", lang, err, got)
			}
		}
		for _, page := range []string{"", "https://id.example.com/verify"} {
			got := web.CodeSent(lang, page)
			if got == "" || lang != "en" && got == web.CodeSent("en", page) || !strings.HasSuffix(got, page) {
				t.Errorf("%s: a code is on its way: %q", lang, got)
			}
		}
	}
}

func TestASentenceNamesTheCountry(t *testing.T) {
	for _, tt := range []struct{ lang, code, want string }{
		{"en", "49", "This number is too short for Germany."},
		{"en-GB,en;q=0.5", "44", "This number is too short for United Kingdom."},
		{"en", "1", "This number is too short for +1."},
		{"en", "800", "This number is too short for +800."},
		{"en", "", "This number is too short."},
		{"de-AT, en;q=0.1", "49", "Diese Nummer ist zu kurz für dieses Land: Deutschland."},
		{"ja", "49", "この番号はドイツの番号としては短すぎます。"},
		{"tlh", "49", "This number is too short for Germany."},
		{"", "49", "This number is too short for Germany."},
		{"\x00;;;q=", "49", "This number is too short for Germany."},
	} {
		if got := web.ProblemFor(&phone.Error{Fault: phone.TooShort, CallingCode: tt.code}, tt.lang).Description; got != tt.want {
			t.Errorf("%q, %s: got %q, want %q", tt.lang, tt.code, got, tt.want)
		}
	}
}

// Every language has the same sentences; English may leave those out that are the
// description of a fault.
func TestLanguagesHaveTheSameSentences(t *testing.T) {
	files, err := filepath.Glob("sentences/*.json")
	if err != nil || len(files) != len(languages) {
		t.Fatalf("got %d languages, want %d: %v", len(files), len(languages), err)
	}
	all := map[string]map[string]string{}
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		own := map[string]string{}
		if err := json.Unmarshal(raw, &own); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		all[strings.TrimSuffix(filepath.Base(file), ".json")] = own
	}
	for lang, own := range all {
		for name, sentence := range own {
			if want := strings.HasSuffix(name, "_for"); strings.Contains(sentence, "{country}") != want {
				t.Errorf("%s: %s names the country: %v, want %v", lang, name, !want, want)
			}
			for other := range all {
				if other != "en" && all[other][name] == "" {
					t.Errorf("%s: %s is missing", other, name)
				}
			}
		}
	}
	for name := range all["en"] {
		if all["de"][name] == "" {
			t.Errorf("%s is said in English alone", name)
		}
	}
}

// One language that nobody knows does not make somebody read another one than theirs.
func TestAnUnknownLanguageDoesNotHideTheOthers(t *testing.T) {
	want := web.ProblemFor(claim.ErrRemovalDenied, "de").Description
	if got := web.ProblemFor(claim.ErrRemovalDenied, "qq-QQ, nonsense!;q=0.9, de;q=0.8, en;q=0.1").Description; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

package web

import (
	"embed"
	"encoding/json"
	"errors"
	"io/fs"
	"maps"
	"net/http"
	"path"
	"slices"
	"strings"
	"sync"

	"golang.org/x/text/language"
	"golang.org/x/text/language/display"

	"github.com/holdline/holdline/internal/claim"
	"github.com/holdline/holdline/internal/phone"
)

// sentences are what people read when a change of number is refused, a file for
// each language. English has those alone that are not the description of a fault.
//
//go:embed sentences/*.json
var sentences embed.FS

// speech is the sentences in all languages.
type speech struct {
	said    map[language.Tag]map[string]string
	tags    []language.Tag // English first, for the matcher
	matcher language.Matcher
}

var spoken = sync.OnceValue(func() speech {
	s := speech{said: map[language.Tag]map[string]string{}}
	names, _ := fs.Glob(sentences, "sentences/*.json")
	for _, name := range names {
		raw, _ := sentences.ReadFile(name)
		own := map[string]string{}
		_ = json.Unmarshal(raw, &own) // embedded; a test reads every file
		s.said[language.Make(strings.TrimSuffix(path.Base(name), ".json"))] = own
	}
	s.tags = slices.SortedFunc(maps.Keys(s.said), func(a, b language.Tag) int {
		switch {
		case a == language.English:
			return -1
		case b == language.English:
			return 1
		}
		return strings.Compare(a.String(), b.String())
	})
	s.matcher = language.NewMatcher(s.tags)
	return s
})

// Names of sentences that no error stands for.
const (
	sentenceLater    = "later"
	sentenceCodeSent = "code_sent"
	sentenceCodeHere = "code_here"
)

// said names the sentences of errors other than a number's faults.
var said = []struct {
	err      error
	sentence string
}{
	{phone.ErrNumberNotServed, "not_served"},
	{claim.ErrRemovalDenied, "removal_denied"},
	{claim.ErrSessionTooOld, "sign_in_again"},
	{claim.ErrBeingApplied, "being_applied"},
	{claim.ErrStaleForm, "reload"},
	{ErrDigits, "number_last"},
	{claim.ErrTooSoon, "too_soon"},
	{claim.ErrTooManyTexts, "too_many_texts"},
	{claim.ErrCallingCodeFull, "country_full"},
	{claim.ErrChangesBlocked, "changes_blocked"},
	{ErrDigits, "others_first"},
}

// ProblemFor returns an error as it is told in the first of the languages (as in
// Accept-Language) that it can be said in, else in English. A number's faults have
// a sentence each.
func ProblemFor(err error, languages string) Problem {
	fault := ProblemOf(err)
	s, tag := spoken(), bestLanguage(languages)
	if refused := (*phone.Error)(nil); errors.As(err, &refused) {
		name, country := string(refused.Fault), countryName(refused.CallingCode, tag)
		if country != "" && s.said[tag][name+"_for"] != "" {
			name += "_for"
		}
		fault.Description = strings.ReplaceAll(s.said[tag][name], "{country}", country)
		return fault
	}
	for _, row := range said {
		if errors.Is(err, row.err) && s.said[tag][row.sentence] != "" {
			fault.Description = s.said[tag][row.sentence]
			break
		}
	}
	return fault
}

// FormProblem is ProblemFor in a form, whose reader can do nothing about what is no
// fault of theirs: they are told to try again.
func FormProblem(err error, languages string) Problem {
	fault := ProblemFor(err, languages)
	if fault.Status >= http.StatusInternalServerError || errors.Is(err, ErrMalformed) ||
		errors.Is(err, ErrMediaType) || errors.Is(err, ErrTooLarge) {
		fault.Description = say(sentenceLater, languages)
	}
	return fault
}

// CodeSent tells that a code is on its way, that the form was not saved, and on which
// page the code is typed; blank for one that the reader knows.
func CodeSent(languages, page string) string {
	if page == "" {
		return say(sentenceCodeSent, languages)
	}
	return say(sentenceCodeSent, languages) + " " + say(sentenceCodeHere, languages) + " " + page
}

func say(name, languages string) string { return spoken().said[bestLanguage(languages)][name] }

func bestLanguage(languages string) language.Tag {
	s := spoken()
	_, i, _ := s.matcher.Match(Languages(languages)...)
	return s.tags[i]
}

// countryName names the country of a calling code: the main one of several. A
// calling code of one digit is shared by many (ITU-T E.164, annex A), and stands
// for itself.
func countryName(callingCode string, in language.Tag) string {
	regions := phone.RegionsOf(callingCode)
	if len(regions) == 0 {
		return ""
	}
	region, err := language.ParseRegion(regions[0])
	if err != nil || len(callingCode) == 1 || !region.IsCountry() {
		return "+" + callingCode
	}
	return display.Regions(in).Name(region)
}

package smsgateway

import (
	"cmp"
	"errors"
	"strings"

	"golang.org/x/text/language"

	"github.com/holdline/holdline/claim"
)

// TextData is what a text's template may use.
type TextData struct {
	Code    string // of a code's text
	Minutes int    // of a code's text: how long it is good, from 1 to 1440
	Product string
	Link    string // of a notice
}

// TemplateOptions say what texts look like.
type TemplateOptions struct {
	Product string
	// Host is the page's host that browsers fill the code in for: the last line
	// becomes "@host #code" (origin-bound one-time codes,
	// https://wicg.github.io/sms-one-time-codes/). Blank leaves it out.
	Host string
	// Own are an operator's text/template sources by BCP 47 language and kind,
	// in place of the built-in ones and beside them. They use [TextData].
	Own map[string]map[claim.TextKind]string
	// Default is the language of texts whose own is unknown; en if blank.
	Default string
	// CodeLength is that of the longest code; 10 if zero.
	CodeLength int
	// LongestLink looks like a notice's link at its longest. Blank if there are
	// no notices.
	LongestLink string
	// Segments is how many messages a code's text may take; 1 if zero.
	Segments int
	// NoticeSegments is how many messages a notice may take; 3 if zero.
	NoticeSegments int
}

// Templates write texts. They are safe for concurrent use.
type Templates struct {
	product, host string
	shelves       map[claim.TextKind]*shelf
}

// shelf has the texts of one kind, one in each language.
type shelf struct {
	tags     []language.Tag
	texts    []text
	matcher  language.Matcher
	standard int
}

// Wording says which of a language's texts is used.
type Wording string

// The wordings.
const (
	OwnWording   Wording = "own"   // the operator's
	FullWording  Wording = "full"  // built in, with all there is to say
	ShortWording Wording = "short" // built in, for long products, hosts and links
)

// Form is how the texts of one kind look in one language. It is chosen at start,
// such that the longest of them fits.
type Form struct {
	Kind     claim.TextKind
	Language string // BCP 47
	Wording  Wording
	// FillsIn tells whether the last line is there, by which browsers fill the
	// code in. Only built-in texts go without, where it has no room.
	FillsIn bool
	// Encoding and Segments are those of the longest text.
	Encoding Encoding
	Segments int
}

// Render writes a text in the first of the preferred languages that there is, or
// in what comes nearest, or else in the default one. They are BCP 47 tags,
// separated by commas. Of the data, what belongs to the kind is used; the
// product is filled in. The error is final, and says nothing secret.
func (t *Templates) Render(kind claim.TextKind, preferred string, data TextData) (string, error) {
	shelf, ok := t.shelves[cmp.Or(kind, claim.TextCode)]
	if !ok {
		return "", errors.New("there is no text of this kind")
	}
	out, err := t.write(shelf.texts[shelf.choose(preferred)], data)
	if err != nil {
		return "", errors.New("the text's template fails")
	}
	return out, nil
}

// Languages returns those that there are codes' texts in, as BCP 47 tags.
func (t *Templates) Languages() []string {
	var languages []string
	for _, tag := range t.shelves[claim.TextCode].tags {
		languages = append(languages, tag.String())
	}
	return languages
}

// Forms returns what was chosen at start, kind by kind, each in the order of
// languages.
func (t *Templates) Forms() []Form {
	var forms []Form
	for _, kind := range kinds {
		if shelf, ok := t.shelves[kind]; ok {
			for _, text := range shelf.texts {
				forms = append(forms, text.Form)
			}
		}
	}
	return forms
}

// choose returns the index of the best text.
func (s *shelf) choose(preferred string) int {
	tags, _, err := language.ParseAcceptLanguage(preferred)
	if err != nil {
		return s.standard
	}
	if _, i, confidence := s.matcher.Match(tags...); confidence != language.No {
		return i
	}
	return s.standard
}

// write fills a text in.
func (t *Templates) write(text text, data TextData) (string, error) {
	data.Product = t.product
	if text.Kind == claim.TextCode {
		data.Link = ""
	} else {
		data.Code, data.Minutes = "", 0
	}
	out, err := text.words(data)
	if err != nil {
		return "", err
	}
	out = strings.TrimSpace(out)
	if text.FillsIn {
		out += t.lastLine(data.Code)
	}
	return out, nil
}

func (t *Templates) lastLine(code string) string { return "\n@" + t.host + " #" + code }

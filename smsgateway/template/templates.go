// Package template writes what texts and the operator's e-mails say, in the reader's
// language. Each text is tried at start with the longest values that there are, so
// that none is cut or billed as more messages than the operator allows.
package template

import (
	"cmp"
	"errors"
	"slices"
	"strings"

	"golang.org/x/text/language"

	"github.com/holdline/holdline/internal/message"
	"github.com/holdline/holdline/smsgateway"
	"github.com/holdline/holdline/smsgateway/segment"
)

// Data is what a text's template may use.
type Data struct {
	Code    string // of a code's text
	Minutes int    // of a code's text: how long it is good, from 1 to 1440
	Product string
	Link    string // of a notice
}

// Options say what texts look like.
type Options struct {
	Product string
	// Host is the page's host that browsers fill the code in for: the last line
	// becomes "@host #code" (origin-bound one-time codes,
	// https://wicg.github.io/sms-one-time-codes/). Blank leaves it out.
	Host string
	// Own are an operator's text/template sources by BCP 47 language and kind,
	// in place of the built-in ones and beside them. They use [Data].
	Own map[string]map[message.TextKind]string
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
	catalogs      map[message.TextKind]*catalog
}

// catalog has the texts of one kind, one in each language.
type catalog struct {
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
	Kind     message.TextKind
	Language string // BCP 47
	Wording  Wording
	// FillsIn reports whether the last line is there, by which browsers fill the
	// code in. Only built-in texts go without, where it has no room.
	FillsIn bool
	// Encoding and Segments are those of the longest text.
	Encoding segment.Encoding
	Segments int
}

// Render writes a text in the first of the preferred languages that there is, or
// in what comes nearest, or else in the default one. They are BCP 47 tags,
// separated by commas. Of the data, what belongs to the kind is used; the
// product is filled in. The error is final, and says nothing secret.
func (t *Templates) Render(kind message.TextKind, preferred string, data Data) (string, error) {
	body, _, err := t.RenderIn(kind, preferred, nil, data)
	return body, err
}

// Languages returns those that there are codes' texts in, as BCP 47 tags.
func (t *Templates) Languages() []string {
	var languages []string
	for _, tag := range t.catalogs[message.TextCode].tags {
		languages = append(languages, tag.String())
	}
	return languages
}

// Forms returns what was chosen at start, kind by kind, each in the order of
// languages.
func (t *Templates) Forms() []Form {
	var forms []Form
	for _, kind := range kinds {
		if catalog, ok := t.catalogs[kind]; ok {
			for _, text := range catalog.texts {
				forms = append(forms, text.Form)
			}
		}
	}
	return forms
}

// choose returns the index of the best text.
func (s *catalog) choose(preferred string) int {
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
func (t *Templates) write(text text, data Data) (string, error) {
	data.Product = t.product
	if text.Kind == message.TextCode {
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

// RenderIn is [Templates.Render] in one of some languages (BCP 47), all that there
// are if none is named, and says in which. Without one that comes near, the
// default one is taken, or the first of them that there is a text in.
func (t *Templates) RenderIn(kind message.TextKind, preferred string, languages []string, data Data) (body, written string, err error) {
	catalog, ok := t.catalogs[cmp.Or(kind, message.TextCode)]
	if !ok {
		return "", "", errors.New("there is no text of this kind")
	}
	if catalog = catalog.among(languages); catalog == nil {
		return "", "", errors.New("there is no text in these languages")
	}
	i := catalog.choose(preferred)
	if body, err = t.write(catalog.texts[i], data); err != nil {
		return "", "", errors.New("the text's template fails")
	}
	return body, catalog.tags[i].String(), nil
}

// Writes reports whether there is a text in just this language (BCP 47).
func (t *Templates) Writes(language string) bool {
	return t.catalogs[message.TextCode].among([]string{language}) != nil
}

// among has the texts in some languages; nil if there are none.
func (s *catalog) among(languages []string) *catalog {
	if len(languages) == 0 {
		return s
	}
	some := &catalog{}
	for i, tag := range s.tags {
		if slices.ContainsFunc(languages, func(name string) bool {
			wanted, err := smsgateway.ParseLanguage(name)
			return err == nil && wanted == tag
		}) {
			if i == s.standard {
				some.standard = len(some.tags)
			}
			some.tags, some.texts = append(some.tags, tag), append(some.texts, s.texts[i])
		}
	}
	if len(some.tags) == 0 {
		return nil
	}
	some.matcher = language.NewMatcher(some.tags)
	return some
}

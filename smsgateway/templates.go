package smsgateway

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"text/template"
	"unicode"

	"github.com/holdline/holdline/claim"
)

// TextData is what a text's template may use.
type TextData struct {
	Code    string
	Minutes int // at least 1
	Product string
	Link    string // of a notice
}

// TemplateOptions say what texts look like.
type TemplateOptions struct {
	Product string
	// Host is the page's host that browsers fill the code in for (WebOTP, and
	// the same on iOS): the last line becomes "@host #code". Blank leaves it out.
	Host string
	// Texts are text/template sources by BCP 47 language; built-in ones if nil.
	// They use [TextData].
	Texts map[string]string
	// Default is the language of texts whose own is unknown; en if blank.
	Default string
	// Segments is how many messages a text may take; 1 if zero.
	Segments int
}

// Templates write texts.
type Templates struct {
	product, host, standard string
	texts                   map[string]*template.Template // by language in lower case
}

const (
	english = `{{.Code}} is your {{.Product}} code to confirm this number. ` +
		`It expires in {{.Minutes}} {{if eq .Minutes 1}}minute{{else}}minutes{{end}}.`

	worstCode    = "WWWWWWWWWW" // the longest there is
	worstMinutes = 9999
)

var hostName = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$`)

// NewTemplates tries each template with the worst values and reports every fault.
func NewTemplates(options TemplateOptions) (*Templates, error) {
	var faults []error
	if strings.TrimSpace(options.Product) == "" || strings.ContainsFunc(options.Product, unicode.IsControl) {
		faults = append(faults, errors.New("product: must be a name on one line"))
	}
	if options.Host != "" && !hostName.MatchString(options.Host) {
		faults = append(faults, errors.New("host: must be a host name alone"))
	}
	if options.Texts == nil {
		options.Texts = map[string]string{"en": english}
	}
	t := &Templates{
		product: options.Product, host: options.Host, standard: strings.ToLower(cmp.Or(options.Default, "en")),
		texts: map[string]*template.Template{},
	}
	for _, language := range slices.Sorted(maps.Keys(options.Texts)) {
		parsed, err := template.New(language).Parse(options.Texts[language])
		if err == nil {
			t.texts[strings.ToLower(language)] = parsed
			err = t.try(parsed, cmp.Or(options.Segments, 1))
		}
		if err != nil {
			faults = append(faults, fmt.Errorf("texts.%s: %w", language, err))
		}
	}
	if _, ok := options.Texts[t.standard]; !ok {
		faults = append(faults, fmt.Errorf("texts.%s: is missing", t.standard))
	}
	if len(faults) > 0 {
		return nil, errors.Join(faults...)
	}
	return t, nil
}

func (t *Templates) try(text *template.Template, most int) error {
	for _, minutes := range []int{1, worstMinutes} {
		out, err := t.render(text, worstCode, minutes)
		if err != nil {
			return err
		}
		message := strings.TrimSuffix(out, t.lastLine(worstCode))
		if !strings.Contains(message, worstCode) {
			return errors.New("must say {{.Code}}")
		}
		for line := range strings.Lines(out) {
			if strings.TrimSpace(line) == "" {
				return errors.New("must not have blank lines")
			}
		}
		if encoding, count := Segments(out); count > most {
			return fmt.Errorf("takes %d messages (%s), of which %d are allowed", count, encoding, most)
		}
	}
	return nil
}

// Render writes a text in a language, or in what comes nearest to it. The
// product is filled in.
func (t *Templates) Render(_ claim.TextKind, language string, data TextData) (string, error) {
	return t.render(t.choose(language), data.Code, data.Minutes)
}

// choose finds the template of a language, of the one it is a variety of, or
// the default.
func (t *Templates) choose(language string) *template.Template {
	language = strings.ToLower(strings.ReplaceAll(language, "_", "-"))
	for language != "" {
		if text, ok := t.texts[language]; ok {
			return text
		}
		language = language[:max(0, strings.LastIndexByte(language, '-'))]
	}
	return t.texts[t.standard]
}

func (t *Templates) render(text *template.Template, code string, minutes int) (string, error) {
	var out strings.Builder
	if err := text.Execute(&out, TextData{Code: code, Minutes: minutes, Product: t.product}); err != nil {
		return "", errors.New("the text's template fails")
	}
	return strings.TrimSpace(out.String()) + t.lastLine(code), nil
}

func (t *Templates) lastLine(code string) string {
	if t.host == "" {
		return ""
	}
	return "\n@" + t.host + " #" + code
}

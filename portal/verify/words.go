package verify

import (
	"embed"
	"fmt"
	"html/template"
	"io/fs"
	"slices"
	"strings"
	"time"

	"github.com/nicksnyder/go-i18n/v2/i18n"
	"golang.org/x/text/language"
	"golang.org/x/text/language/display"

	"github.com/holdline/holdline/internal/phone"
	"github.com/holdline/holdline/internal/web"
)

// messages are what the pages say: one file for each language. They hold no
// markup; what stands in their places is put in by [voice.H].
//
//go:embed messages/active.*.json
var messages embed.FS

// words are the messages in all languages.
type words struct {
	bundle  *i18n.Bundle
	matcher language.Matcher
	tags    []language.Tag // the default one first, for the matcher
	product string
}

func newWords(product, fallback string) (words, error) {
	names, err := fs.Glob(messages, "messages/*")
	if err != nil {
		return words{}, fmt.Errorf("verify: find messages: %w", err)
	}
	bundle := i18n.NewBundle(language.English)
	for _, name := range names {
		if _, err := bundle.LoadMessageFileFS(messages, name); err != nil {
			return words{}, fmt.Errorf("verify: read messages: %w", err)
		}
	}
	tags := slices.Clone(bundle.LanguageTags())
	slices.SortFunc(tags, func(a, b language.Tag) int { return strings.Compare(a.String(), b.String()) })
	_, i, _ := language.NewMatcher(tags).Match(language.Make(fallback))
	if base, _ := language.Make(fallback).Base(); base.String() != tags[i].String() {
		i = slices.Index(tags, language.English)
	}
	first := slices.Concat([]language.Tag{tags[i]}, tags[:i], tags[i+1:])
	return words{bundle, language.NewMatcher(first), first, product}, nil
}

// voice speaks one language. Templates call its methods of one letter.
type voice struct {
	localizer *i18n.Localizer
	tag       language.Tag
	product   string
}

// voice returns that of the best language for preferences, the best first, each
// a list as in Accept-Language.
func (w words) voice(preferences ...string) voice {
	_, i, _ := w.matcher.Match(web.Languages(preferences...)...)
	return voice{i18n.NewLocalizer(w.bundle, w.tags[i].String()), w.tags[i], w.product}
}

// choices lists the languages under their own names.
func (w words) choices(chosen voice, address func(lang string) string) []choice {
	var list []choice
	for _, tag := range w.tags {
		lang := tag.String()
		list = append(list, choice{lang, display.Self.Name(tag), address(lang), tag == chosen.tag})
	}
	slices.SortFunc(list, func(a, b choice) int { return strings.Compare(a.Lang, b.Lang) })
	return list
}

func (v voice) dir() string {
	if script, _ := v.tag.Script(); script.String() == "Arab" {
		return "rtl"
	}
	return "ltr"
}

// T says something in plain text. Pairs are names of places and what stands there.
func (v voice) T(id string, pairs ...any) string {
	data := map[string]any{"Product": v.product}
	for i := 0; i+1 < len(pairs); i += 2 {
		data[fmt.Sprint(pairs[i])] = pairs[i+1]
	}
	return v.say(id, nil, data)
}

// H says something with what stands in its places kept apart from the direction
// of the words around it.
func (v voice) H(id string, pairs ...any) template.HTML {
	data := map[string]any{"Product": "<bdi>" + template.HTMLEscapeString(v.product) + "</bdi>"}
	for i := 0; i+1 < len(pairs); i += 2 {
		place := fmt.Sprint(pairs[i])
		switch value := pairs[i+1].(type) {
		case wait:
			data[place] = `<span class="wait">` + template.HTMLEscapeString(v.W(value)) + "</span>"
		case phone.Number:
			data[place] = `<bdi dir="ltr" class="number">` + template.HTMLEscapeString(value.String()) + "</bdi>"
		case typed:
			data[place] = `<bdi dir="ltr" class="number" id="mobile-pending">` + template.HTMLEscapeString(value.Unmasked()) + "</bdi>"
		case time.Time:
			data[place] = `<time dir="ltr" class="number" datetime="` + value.UTC().Format(time.RFC3339) + `">` + value.UTC().Format("2006-01-02 15:04 UTC") + "</time>"
		}
	}
	return template.HTML(v.say(id, nil, data)) //nolint:gosec // the words are embedded, and what is put in is escaped
}

// typed is a number that is shown in full, to the person whose account it is wanted
// for: a mistake in it can be seen then.
type typed struct{ phone.Number }

// N says something about a number of things.
func (v voice) N(id string, count int) string {
	return v.say(id, count, map[string]any{"Count": count})
}

// W says how long something takes.
func (v voice) W(w wait) string { return v.N(w.unit()) }

// say falls back to English for what a language lacks, which its test forbids.
func (v voice) say(id string, count any, data map[string]any) string {
	text, err := v.localizer.Localize(&i18n.LocalizeConfig{MessageID: id, PluralCount: count, TemplateData: data})
	if err != nil && text == "" {
		return id
	}
	return text
}

// wait is a number of seconds, at least 0.
type wait int

// waitUntil rounds up to whole seconds; zero for a moment that is over or never.
func waitUntil(moment, now time.Time) wait {
	if moment.IsZero() || !now.Before(moment) {
		return 0
	}
	return wait((moment.Sub(now) + time.Second - 1) / time.Second)
}

// unit returns the message and the count that say it best. verify.js does the same.
func (w wait) unit() (string, int) {
	switch {
	case w < 120:
		return "seconds", int(w)
	case w < 2*3600:
		return "minutes", int(w+59) / 60
	default:
		return "hours", int(w+3599) / 3600
	}
}

package template

import (
	"embed"
	"fmt"
	"io/fs"
	"strings"
	"text/template"

	"github.com/nicksnyder/go-i18n/v2/i18n"
	"golang.org/x/text/language"

	"github.com/holdline/holdline/internal/message"
)

// messages are the built-in texts: one file for each language. A message has a
// kind's name, or that name and "_short".
//
//go:embed messages/active.*.json
var messages embed.FS

// kinds are those that there are texts of.
var kinds = []message.TextKind{message.TextCode, message.TextChanged, message.TextRemoved}

// text is one way of saying something.
type text struct {
	Form
	key   string // of the language in the configuration, for an operator's own
	words func(Data) (string, error)
}

// builtIn returns the built-in texts of each language and kind, the best first.
func builtIn(fillsIn bool) (map[message.TextKind]map[language.Tag][]text, error) {
	bundle, err := loadMessages()
	if err != nil {
		return nil, err
	}
	found := map[message.TextKind]map[language.Tag][]text{}
	for _, kind := range kinds {
		found[kind] = map[language.Tag][]text{}
		for _, tag := range bundle.LanguageTags() {
			found[kind][tag] = candidates(bundle, kind, tag, fillsIn)
		}
	}
	return found, nil
}

func loadMessages() (*i18n.Bundle, error) {
	files, err := fs.Glob(messages, "messages/*")
	if err != nil {
		return nil, fmt.Errorf("built-in texts: %w", err)
	}
	bundle := i18n.NewBundle(language.English)
	for _, file := range files {
		if _, err := bundle.LoadMessageFileFS(messages, file); err != nil {
			return nil, fmt.Errorf("built-in texts: %w", err)
		}
	}
	return bundle, nil
}

// candidates returns a language's built-in texts, the best first. Without its
// last line a code can still be read and typed, so that this is given up last.
func candidates(bundle *i18n.Bundle, kind message.TextKind, tag language.Tag, fillsIn bool) []text {
	localizer := i18n.NewLocalizer(bundle, tag.String())
	full := text{Form: Form{Kind: kind, Language: tag.String(), Wording: FullWording}}
	full.words = func(data Data) (string, error) {
		msg := i18n.LocalizeConfig{MessageID: string(kind), TemplateData: data}
		if kind == message.TextCode {
			msg.PluralCount = data.Minutes
		}
		return localizer.Localize(&msg)
	}
	short := text{Form: Form{Kind: kind, Language: tag.String(), Wording: ShortWording}}
	short.words = func(data Data) (string, error) {
		return localizer.Localize(&i18n.LocalizeConfig{MessageID: string(kind) + "_short", TemplateData: data})
	}
	if kind != message.TextCode || !fillsIn {
		return []text{full, short}
	}
	filledFull, filledShort := full, short
	filledFull.FillsIn, filledShort.FillsIn = true, true
	return []text{filledFull, filledShort, full, short}
}

// ownText reads an operator's template.
func ownText(kind message.TextKind, tag language.Tag, key, source string, fillsIn bool) (text, error) {
	parsed, err := template.New(string(kind)).Parse(source)
	if err != nil {
		return text{}, fmt.Errorf("cannot be read: %w", err)
	}
	form := Form{Kind: kind, Language: tag.String(), Wording: OwnWording, FillsIn: fillsIn && kind == message.TextCode}
	return text{form, key, func(data Data) (string, error) {
		var out strings.Builder
		if err := parsed.Execute(&out, data); err != nil {
			return "", fmt.Errorf("cannot be filled in: %w", err)
		}
		return out.String(), nil
	}}, nil
}

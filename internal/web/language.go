package web

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/text/language"
)

const (
	// longestPreference bounds what is kept of somebody's languages, in bytes.
	longestPreference = 64
	// mostTags bounds how many of them are read.
	mostTags = 20
)

// PreferredLanguage returns the languages that somebody reads, best first, as
// BCP 47 tags separated by commas; blank if nothing is known. Each source is an
// Accept-Language header (RFC 9110, section 12.5.4) or a locale, such as de,
// pt-BR or de_AT.UTF-8; earlier ones go before later ones. What makes no sense
// is left out, and so is what exceeds 64 bytes.
func PreferredLanguage(sources ...string) string {
	var list []string
	for _, source := range sources {
		for _, tag := range acceptable(source) {
			longer := append(slices.Clip(list), tag)
			if !slices.Contains(list, tag) && len(strings.Join(longer, ",")) <= longestPreference {
				list = longer
			}
		}
	}
	return strings.Join(list, ",")
}

// acceptable returns a source's tags by weight.
func acceptable(source string) []string {
	type preference struct {
		tag    string
		weight float64
	}
	var found []preference
	for _, entry := range strings.SplitN(source, ",", mostTags+1) {
		name, parameters, _ := strings.Cut(entry, ";")
		p := preference{plainTag(name), 1}
		if q, ok := strings.CutPrefix(strings.TrimSpace(parameters), "q="); ok {
			p.weight, _ = strconv.ParseFloat(q, 64) // 0, which is "not acceptable", if it is no number
		}
		if p.tag != "" && p.weight > 0 && len(found) < mostTags {
			found = append(found, p)
		}
	}
	slices.SortStableFunc(found, func(a, b preference) int { return cmp.Compare(b.weight, a.weight) })
	var tags []string
	for _, p := range found {
		tags = append(tags, p.tag)
	}
	return tags
}

// plainTag reads a tag or a POSIX locale, and leaves out what says nothing about
// a text: encodings, variants, extensions.
func plainTag(name string) string {
	name, _, _ = strings.Cut(strings.TrimSpace(name), ".")
	name, _, _ = strings.Cut(name, "@")
	if len(name) > longestPreference {
		return ""
	}
	tag, err := language.Parse(name)
	base, script, region := tag.Raw()
	if err != nil || base == (language.Base{}) {
		return ""
	}
	plain, err := language.Compose(base, script, region)
	if err != nil {
		return ""
	}
	return plain.String()
}

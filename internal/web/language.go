package web

import (
	"cmp"
	"slices"
	"strings"

	"golang.org/x/text/language"
)

const (
	// longestPreference bounds what is kept of somebody's languages, in bytes.
	longestPreference = 64
	// mostTags bounds how many of a source are read.
	mostTags = 20
)

// PreferredLanguage returns the languages that somebody reads, best first, as
// BCP 47 tags separated by commas; blank if nothing is known. Sources are those of
// [Languages]. What exceeds 64 bytes is left out.
func PreferredLanguage(sources ...string) string {
	list := ""
	for _, tag := range Languages(sources...) {
		if longer := strings.TrimPrefix(list+","+tag.String(), ","); len(longer) <= longestPreference {
			list = longer
		}
	}
	return list
}

// Languages returns the languages that somebody reads, best first. Each source is an
// Accept-Language header (RFC 9110, section 12.5.4) or a locale, such as de, pt-BR or
// de_AT.UTF-8; earlier ones go before later ones. What makes no sense is left out.
func Languages(sources ...string) []language.Tag {
	var all []language.Tag
	for _, source := range sources {
		for _, tag := range acceptable(source) {
			if !slices.Contains(all, tag) {
				all = append(all, tag)
			}
		}
	}
	return all
}

// acceptable returns a source's tags by weight. They are read one by one, because one
// that is not known must not spoil the others.
func acceptable(source string) []language.Tag {
	type preference struct {
		tag    language.Tag
		weight float32
	}
	var found []preference
	entries := strings.SplitN(source, ",", mostTags+1)
	for _, entry := range entries[:min(mostTags, len(entries))] {
		name, weight, weighted := strings.Cut(entry, ";")
		name, _, _ = strings.Cut(name, ".") // the encoding of a POSIX locale, as in de_AT.UTF-8
		name, _, _ = strings.Cut(name, "@")
		if weighted {
			name += ";" + weight
		}
		tags, weights, err := language.ParseAcceptLanguage(name)
		if err != nil || len(tags) == 0 {
			continue
		}
		if tag, ok := plain(tags[0]); ok && weights[0] > 0 {
			found = append(found, preference{tag, weights[0]})
		}
	}
	slices.SortStableFunc(found, func(a, b preference) int { return cmp.Compare(b.weight, a.weight) })
	tags := make([]language.Tag, len(found))
	for i, p := range found {
		tags[i] = p.tag
	}
	return tags
}

// plain leaves out what says nothing about a text: variants and extensions.
func plain(tag language.Tag) (language.Tag, bool) {
	base, script, region := tag.Raw()
	if base == (language.Base{}) || base.String() == "mul" { // any, from *
		return language.Und, false
	}
	tag, err := language.Compose(base, script, region)
	return tag, err == nil
}

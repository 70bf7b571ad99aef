package scim

import (
	"maps"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/holdline/holdline/internal/textclean"
)

// Fold returns a text such that two texts that differ only in case have the same
// one, as [strings.EqualFold] sees it. ASCII becomes lower case.
func Fold(text string) string { return strings.Map(foldRune, text) }

// foldRune returns the least of the runes that differ only in case.
func foldRune(r rune) rune {
	least := r
	if r >= utf8.RuneSelf {
		for next := unicode.SimpleFold(r); next != r; next = unicode.SimpleFold(next) {
			least = min(least, next)
		}
	}
	if least < utf8.RuneSelf {
		return unicode.ToLower(least)
	}
	return least
}

// Blank reports whether nothing can be seen of a text.
func Blank(text string) bool { return textclean.Blank(text) }

// FoldNames returns an object with its names in lower case, as messages have them
// in any case. Two of the same name are invalidSyntax.
func FoldNames(object map[string]any) (map[string]any, error) {
	folded := make(map[string]any, len(object))
	for _, name := range slices.Sorted(maps.Keys(object)) {
		lower := strings.ToLower(name)
		if _, twice := folded[lower]; twice {
			return nil, Bad(InvalidSyntax, "an object has two members of the same name")
		}
		folded[lower] = object[name]
	}
	return folded, nil
}

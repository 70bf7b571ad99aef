package scim

import (
	"strings"
	"unicode"
	"unicode/utf8"
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

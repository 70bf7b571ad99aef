// Package textclean takes out of what people type and paste all that cannot be
// seen, and writes what can be seen in ASCII where ASCII has it. It goes by
// Unicode's properties alone (The Unicode Standard, chapter 4), so that a
// character nobody thought of is treated as its like are.
package textclean

import (
	"strings"
	"unicode"

	"golang.org/x/text/width"
)

// Longest is the longest text, in bytes, that is worth reading as a number or a code:
// invisible characters and digits of other scripts take several each.
const Longest = 512

// keycap encloses the digit before it: 1 and it are one emoji (UTS #51).
const keycap = '\u20e3'

// brailleBlank has no dots, and looks like a space.
const brailleBlank = '\u2800'

// invisible have no look of their own: controls that are no white space, format
// characters, variation selectors, and what Unicode wants ignored by default.
var invisible = []*unicode.RangeTable{unicode.Cc, unicode.Cf, unicode.Variation_Selector, unicode.Other_Default_Ignorable_Code_Point}

// dashes are Unicode's dashes, minus signs among them, and hyphens.
var dashes = []*unicode.RangeTable{unicode.Dash, unicode.Pd, unicode.Hyphen}

// likeDashes are what keyboards give instead of a dash, and Unicode counts among
// other things: a modifier letter, a bullet, Japan's mark of a long vowel, a line.
const likeDashes = "\u02d7\u2043\u30fc\u2500"

// Clean returns text without invisible characters, with each kind of space as a
// space, each kind of dash as a hyphen, the decimal digits of all scripts as 0
// to 9, and full-width forms as their usual ones. Spaces at either end go.
// Everything else stays, for the caller to refuse.
func Clean(text string) string {
	if plain(text) {
		return strings.Trim(text, " ")
	}
	return strings.Trim(strings.Map(clean, text), " ")
}

// Blank reports whether nothing can be seen of text.
func Blank(text string) bool { return Clean(text) == "" }

// plain spares the usual text the work.
func plain(text string) bool {
	for i := range len(text) {
		if text[i] < ' ' || text[i] > '~' {
			return false
		}
	}
	return true
}

// clean returns what a character becomes; -1 for nothing.
func clean(r rune) rune {
	if r >= ' ' && r <= '~' {
		return r
	}
	if unicode.IsSpace(r) || r == brailleBlank {
		return ' '
	}
	if r == keycap || unicode.In(r, invisible...) {
		return -1
	}
	if usual := width.LookupRune(r).Folded(); usual != 0 {
		r = usual
	}
	switch {
	case unicode.In(r, dashes...), strings.ContainsRune(likeDashes, r):
		return '-'
	case unicode.Is(unicode.Nd, r):
		return '0' + digit(r)
	}
	if i := strings.IndexRune(smallForms, r); i >= 0 {
		return rune(smallASCII[i/len("﹙")])
	}
	return r
}

// smallForms are the signs of numbers in Unicode's block of small form variants,
// which compatibility alone would fold, and with it what is not the same.
const (
	smallForms = "﹙﹚﹢﹟﹡﹒﹐﹔"
	smallASCII = "()+#*.,;"
)

// digit returns the value of a decimal digit. Each script's ten stand together,
// the zero first (The Unicode Standard, section 4.6), and ranges begin with one.
func digit(r rune) rune {
	for _, part := range unicode.Nd.R16 {
		if r >= rune(part.Lo) && r <= rune(part.Hi) {
			return (r - rune(part.Lo)) % 10
		}
	}
	for _, part := range unicode.Nd.R32 {
		if r >= rune(part.Lo) && r <= rune(part.Hi) { //nolint:gosec // code points fit
			return (r - rune(part.Lo)) % 10 //nolint:gosec // code points fit
		}
	}
	return 0
}

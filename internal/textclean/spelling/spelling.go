// Package spelling has the ways in which people and programs write digits, for tests:
// all scripts, separators and invisible wrappers of Unicode.
package spelling

import (
	"strings"
	"unicode"
)

// Scripts are the zeros of all sets of decimal digits that Unicode has.
func Scripts() []rune {
	var zeros []rune
	n := 0
	for r := rune(0); r <= unicode.MaxRune; r++ {
		if unicode.Is(unicode.Nd, r) {
			if n%10 == 0 {
				zeros = append(zeros, r)
			}
			n++
		}
	}
	return zeros
}

// Separators are what stands between the groups of a number: each kind of space
// and dash, points, brackets about the first group.
func Separators() []string {
	all := []string{"", ".", ". ", " - ", "  ", ") ", "\r\n", "\u00ad", "\u200b", "\ufe0f", "\ufe0d"}
	for r := rune(1); r <= unicode.MaxRune; r++ {
		if unicode.In(r, unicode.Z, unicode.Pd, unicode.Dash) || unicode.Is(unicode.White_Space, r) {
			all = append(all, string(r))
		}
	}
	return all
}

// Wrappers are what stands around a number and cannot be seen.
func Wrappers() [][2]string {
	all := [][2]string{{"", ""}, {" ", "\n"}, {"\u202a", "\u202c"}, {"\u202d", "\u202c"}, {"\u2066", "\u2069"}, {"\u2068", "\u2069"}, {"tel:", ""}}
	for r := rune(0); r <= unicode.MaxRune; r++ {
		if unicode.In(r, unicode.Cf, unicode.Cc, unicode.Zs, unicode.Variation_Selector) {
			all = append(all, [2]string{string(r), string(r)})
		}
	}
	return all
}

// Spell writes a number of ASCII groups with another separator, script and wrapper.
func Spell(groups []string, zero rune, separator string, wrapper [2]string) string {
	text := strings.Join(groups, separator)
	if zero != '0' {
		text = strings.Map(func(r rune) rune {
			if r >= '0' && r <= '9' {
				return zero + r - '0'
			}
			return r
		}, text)
	}
	return wrapper[0] + text + wrapper[1]
}

package provider

import (
	"regexp"
	"strings"
	"unicode"

	"github.com/holdline/holdline/smsgateway"
)

// longestSaid is how much of a provider's own words is kept, in characters.
const longestSaid = 120

const redacted = "***"

var (
	links = regexp.MustCompile(`(?i)[a-z][a-z0-9+.-]*://\S+`)
	// tokens are words that nobody writes: keys, tokens, ids, encoded numbers.
	tokens = regexp.MustCompile(`[A-Za-z0-9_\-+/=%.]{12,}`)
	// groups are digits as people and providers write numbers and codes.
	groups = regexp.MustCompile(`\+?\p{Nd}(?:[\s\p{Pd}./()\x{00A0}]*\p{Nd})*`)
)

// redact makes what a provider says of a message fit to be logged: one short
// line without the number, the code, the body, a link or anything like a key. What
// is left of digits is at most five, which error codes have, unless the code is
// as short.
func redact(m smsgateway.Message, text string) string {
	text = strings.ToValidUTF8(text, "")
	text = strings.Join(strings.FieldsFunc(text, func(r rune) bool {
		return unicode.IsControl(r) || unicode.Is(unicode.Zl, r) || unicode.Is(unicode.Zp, r) || unicode.Is(unicode.Cf, r)
	}), " ")
	for line := range strings.SplitSeq(m.Body, "\n") {
		if line = strings.TrimSpace(line); len(line) > 3 {
			text = strings.ReplaceAll(text, line, redacted)
		}
	}
	if m.Code != "" {
		text = regexp.MustCompile(`(?i)`+regexp.QuoteMeta(m.Code)).ReplaceAllString(text, redacted)
	}
	text = links.ReplaceAllString(text, redacted)
	text = tokens.ReplaceAllStringFunc(text, func(word string) string {
		if strings.ContainsAny(word, "0123456789") && strings.ContainsFunc(word, unicode.IsLetter) {
			return redacted
		}
		return word
	})
	code := onlyDigits(m.Code)
	text = groups.ReplaceAllStringFunc(text, func(group string) string {
		digits := onlyDigits(group)
		if len(digits) > 5 || len(code) > 3 && strings.Contains(digits, code) {
			return redacted
		}
		return group
	})
	text = strings.Join(strings.Fields(text), " ")
	if short := []rune(text); len(short) > longestSaid {
		text = string(short[:longestSaid]) + "…"
	}
	return text
}

// onlyDigits keeps the decimal digits, of any script as 0 to 9.
func onlyDigits(text string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsDigit(r) {
			return -1
		}
		return '0' + digitOf(r)
	}, text)
}

// digitOf is a decimal digit's value. In Unicode the ten of each script stand in
// a row that begins with its zero.
func digitOf(r rune) rune {
	value := rune(0)
	for r-value > 0 && unicode.IsDigit(r-value-1) && value < 9 {
		value++
	}
	return value
}

package verify

import (
	"strings"
	"unicode"
)

// CodeForm says what codes look like.
type CodeForm struct {
	Length  int
	Numeric bool
}

// read returns the code in what somebody typed: without spaces, dashes and marks
// that cannot be seen, and with the digits of all scripts as 0 to 9. It is not
// ok when a code cannot look like that, which costs no try.
func (f CodeForm) read(typed string) (code string, ok bool) {
	var out strings.Builder
	for _, r := range typed {
		switch {
		case unicode.IsSpace(r), unicode.In(r, unicode.Cf, unicode.Pd, unicode.Cc):
		case unicode.Is(unicode.Nd, r):
			out.WriteRune('0' + digit(r))
		case r >= 'Ａ' && r <= 'ｚ': // full width
			out.WriteRune(r - 'Ａ' + 'A')
		default:
			out.WriteRune(r)
		}
	}
	code = out.String()
	if f.Numeric && strings.Trim(code, "0123456789") != "" {
		return code, false
	}
	return code, len(code) == f.Length
}

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

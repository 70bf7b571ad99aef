package phone

import (
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"unicode"

	"github.com/nyaruka/phonenumbers"

	"github.com/holdline/holdline/internal/textclean"
)

// Format says how numbers are read and written.
type Format string

// The formats of a number plan.
const (
	// FormatE164 writes numbers in the international form of ITU-T E.164.
	FormatE164 Format = "e164"
	// FormatRaw keeps dialling characters as typed, for plans that are not
	// international.
	FormatRaw Format = "raw"
)

// Parser is the operator's choice of [Format]. Region is the ISO 3166-1
// code that national input is read in; blank refuses national input.
type Parser struct {
	Format Format
	Region string
	// Cache spares reading the same text again; nil for none.
	Cache *Cache
}

// Number is a telephone number that passed [Parse], or the zero value for
// none. Its text form is masked, so that showing the number takes intent: see
// [Number.Unmasked].
type Number struct{ number string }

// ParseStored reads the number that an identity already has, in whatever form
// it was once accepted: text that the plan would refuse today still stands for
// itself. Text of which nothing can be seen is no number.
func ParseStored(plan Parser, text string) Number {
	m, err := Parse(plan, text)
	switch {
	case err == nil:
		return m
	case textclean.Blank(text):
		return Number{}
	default:
		return FromStore(strings.TrimSpace(text))
	}
}

// IsStored reports whether text that is stored somewhere, in whatever form it was
// once accepted, is the number m.
func (m Number) IsStored(plan Parser, text string) bool {
	return text == m.number || ParseStored(plan, text).Same(m) // reading takes time
}

// FromStore returns the number whose [Number.Unmasked] was kept in a store.
func FromStore(number string) Number { return Number{number} }

// Unmasked returns the full number: for gateways, stores and the identity only.
func (m Number) Unmasked() string { return m.number }

// Dialled returns the dialling characters alone.
func (m Number) Dialled() string {
	return strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) || strings.ContainsRune("-./()", r) {
			return -1
		}
		return r
	}, m.number)
}

// Key names the telephone, by which texts are counted: the dialling characters
// without what they may have or lack for one and the same handset.
func (m Number) Key() string { return withoutTrunkZero(m.handset()) }

// handset returns the dialling characters, in today's form for numbers that were
// stored in another one.
func (m Number) handset() string { return todaysForm(m.Dialled()) }

// Same reports whether both reach the same telephone.
func (m Number) Same(other Number) bool {
	return m.number == other.number || m.handset() == other.handset()
}

// longestCallingCode is how many digits a country calling code has at most
// (ITU-T E.164, section 6.2.1). None is another one's beginning.
const longestCallingCode = 3

// CallingCode returns the country calling code of ITU-T E.164, without a plus;
// blank for a number that is not international.
func (m Number) CallingCode() string {
	digits, international := strings.CutPrefix(m.Dialled(), "+")
	if !international {
		return ""
	}
	for length := 1; length <= min(longestCallingCode, len(digits)); length++ {
		code, err := strconv.Atoi(digits[:length])
		if err == nil && phonenumbers.GetSupportedCallingCodes()[code] {
			return digits[:length]
		}
	}
	return ""
}

// IsZero reports whether there is no number.
func (m Number) IsZero() bool { return m.number == "" }

// String returns the number masked: the first three and the last two
// characters of a long one, the last two of a short one.
func (m Number) String() string {
	key := []rune(m.Dialled())
	shown := 0
	if len(key) >= 9 {
		shown = 3
	}
	hidden := max(0, len(key)-2-shown)
	if len(key) <= 4 {
		return strings.Repeat("*", len(key))
	}
	return string(key[:shown]) + strings.Repeat("*", hidden) + string(key[shown+hidden:])
}

// Format prints the masked form for every verb, so that %#v leaks nothing.
func (m Number) Format(state fmt.State, _ rune) { _, _ = state.Write([]byte(m.String())) }

// LogValue prints the masked form.
func (m Number) LogValue() slog.Value { return slog.StringValue(m.String()) }

// MarshalText prints the masked form, so that JSON leaks nothing either.
func (m Number) MarshalText() ([]byte, error) { return []byte(m.String()), nil }

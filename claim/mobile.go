package claim

import (
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"unicode"

	"github.com/nyaruka/phonenumbers"
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

// NumberPlan is the operator's choice of [Format]. Region is the ISO 3166-1
// code that national input is read in; blank refuses national input.
type NumberPlan struct {
	Format Format
	Region string
}

const (
	rawShortest = 3
	rawLongest  = 32
	longestText = 64
)

// Mobile is a telephone number that passed [ParseMobile], or the zero value for
// none. Its text form is masked, so that showing the number takes intent: see
// [Mobile.Reveal].
type Mobile struct{ number string }

// ParseMobile reads what a person or a program typed, also as a global tel: URI
// (RFC 3966, which RFC 7643 section 4.1.2 asks SCIM clients to send). The error
// is [ErrBadNumber] and never repeats the input.
func ParseMobile(plan NumberPlan, text string) (Mobile, error) {
	text = strings.TrimSpace(text)
	if len(text) > longestText {
		return Mobile{}, ErrBadNumber
	}
	if plan.Format == FormatRaw {
		return parseRaw(text)
	}
	if len(text) > 4 && strings.EqualFold(text[:4], "tel:") {
		text = text[4:]
	}
	if strings.ContainsFunc(text, unicode.IsLetter) { // vanity numbers, extensions
		return Mobile{}, ErrBadNumber
	}
	number, ok := international(text, plan.Region)
	if !ok {
		return Mobile{}, ErrBadNumber
	}
	if number == text {
		return Mobile{number}, nil
	}
	// A number must read back as itself, or it would not equal itself once stored.
	if again, ok := international(number, plan.Region); !ok || again != number {
		return Mobile{}, ErrBadNumber
	}
	return Mobile{number}, nil
}

// international writes a possible number in the form of E.164.
func international(text, region string) (string, bool) {
	parsed, err := phonenumbers.Parse(text, strings.ToUpper(region))
	if err != nil || !phonenumbers.IsPossibleNumber(parsed) {
		return "", false
	}
	return phonenumbers.Format(parsed, phonenumbers.E164), true
}

func parseRaw(text string) (Mobile, error) {
	if len(text) < rawShortest || len(text) > rawLongest {
		return Mobile{}, ErrBadNumber
	}
	for i, r := range text {
		if !strings.ContainsRune("0123456789*#()-./ ", r) && (r != '+' || i > 0) {
			return Mobile{}, ErrBadNumber
		}
	}
	if !strings.ContainsAny(text, "0123456789") {
		return Mobile{}, ErrBadNumber
	}
	return Mobile{text}, nil
}

// StoredMobile reads the number that an identity already has, in whatever form
// it was once accepted: text that the plan would refuse today still stands for
// itself.
func StoredMobile(plan NumberPlan, text string) Mobile {
	m, err := ParseMobile(plan, text)
	if err != nil {
		return RestoreMobile(strings.TrimSpace(text))
	}
	return m
}

// IsStored tells whether text that is stored somewhere, in whatever form it was
// once accepted, is the number m.
func (m Mobile) IsStored(plan NumberPlan, text string) bool {
	return text == m.number || StoredMobile(plan, text).Same(m) // reading takes time
}

// RestoreMobile returns the number whose [Mobile.Reveal] was kept in a store.
func RestoreMobile(number string) Mobile { return Mobile{number} }

// Reveal returns the full number: for gateways, stores and the identity only.
func (m Mobile) Reveal() string { return m.number }

// Key returns the dialling characters alone, by which numbers are compared.
func (m Mobile) Key() string {
	return strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) || strings.ContainsRune("-./()", r) {
			return -1
		}
		return r
	}, m.number)
}

// Same tells whether both reach the same telephone.
func (m Mobile) Same(other Mobile) bool { return m.Key() == other.Key() }

// longestCallingCode is how many digits a country calling code has at most
// (ITU-T E.164, section 6.2.1). None is another one's beginning.
const longestCallingCode = 3

// CallingCode returns the country calling code of ITU-T E.164, without a plus;
// blank for a number that is not international.
func (m Mobile) CallingCode() string {
	digits, international := strings.CutPrefix(m.Key(), "+")
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

// IsZero tells whether there is no number.
func (m Mobile) IsZero() bool { return m.number == "" }

// String returns the number masked: the first three and the last two
// characters of a long one, the last two of a short one.
func (m Mobile) String() string {
	key := []rune(m.Key())
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
func (m Mobile) Format(state fmt.State, _ rune) { _, _ = state.Write([]byte(m.String())) }

// LogValue prints the masked form.
func (m Mobile) LogValue() slog.Value { return slog.StringValue(m.String()) }

// MarshalText prints the masked form, so that JSON leaks nothing either.
func (m Mobile) MarshalText() ([]byte, error) { return []byte(m.String()), nil }

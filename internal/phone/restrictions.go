package phone

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/nyaruka/phonenumbers"
)

// Restrictions says which numbers are texted at all. It guards against numbers that
// earn a fraudster money (artificially inflated traffic).
type Restrictions struct {
	// Allowed and Denied are calling codes, or longer beginnings of international
	// numbers, as digits without a plus. The longest that fits decides; of the
	// same in both, Denied does. An empty Allowed allows all.
	Allowed, Denied []string
	// DeniedTypes are names of types, as mobile.denied_types has them.
	DeniedTypes []string
	// Raw says that numbers are not international, so that no calling code can be told.
	Raw bool
}

// numberTypes are what libphonenumber can tell by a number alone
// (https://github.com/google/libphonenumber, PhoneNumberType).
var numberTypes = map[string]phonenumbers.PhoneNumberType{
	"premium_rate":    phonenumbers.PREMIUM_RATE,
	"shared_cost":     phonenumbers.SHARED_COST,
	"toll_free":       phonenumbers.TOLL_FREE,
	"uan":             phonenumbers.UAN,
	"pager":           phonenumbers.PAGER,
	"voicemail":       phonenumbers.VOICEMAIL,
	"voip":            phonenumbers.VOIP,
	"personal_number": phonenumbers.PERSONAL_NUMBER,
	"fixed_line":      phonenumbers.FIXED_LINE,
	"unknown":         phonenumbers.UNKNOWN, // possible, but in no plan that libphonenumber knows
}

// networkTypes are the calling codes that the ITU gives to networks and services
// instead of countries (Complement to Recommendation E.164): no ordinary phone has
// such a number, and texts to some of them cost many times as much. libphonenumber
// takes most of them for mobile or VoIP.
var networkTypes = map[string][]string{
	// Inmarsat, the Global Mobile Satellite System, and the international networks,
	// which are mostly satellites, ships and aircraft.
	"satellite": {"870", "881", "882", "883"},
	// Freephone, shared cost, personal (UPT), disaster relief, premium rate, trials.
	"international_service": {"800", "808", "878", "888", "979", "991"},
}

// Validate reports every entry that means nothing, or contradicts another one.
func (c Restrictions) Validate() error {
	var faults []error
	for name, codes := range map[string][]string{"allowed_calling_codes": c.Allowed, "denied_calling_codes": c.Denied} {
		if err := CheckBeginnings(codes); err != nil {
			faults = append(faults, fmt.Errorf("mobile.%s: %w", name, err))
		}
	}
	for _, name := range c.DeniedTypes {
		_, isNetwork := networkTypes[name]
		if _, known := numberTypes[name]; !known && !isNetwork {
			faults = append(faults, fmt.Errorf("mobile.denied_types: %q is no type of number", name))
		}
	}
	if err := c.Contradiction(); err != nil {
		faults = append(faults, fmt.Errorf("mobile.allowed_calling_codes: %w", err))
	}
	return errors.Join(faults...)
}

// Check returns [ErrNumberNotServed] for a number that must not be texted. A
// number that is not international has neither a calling code nor a type.
func (c Restrictions) Check(m Number) error {
	digits, international := strings.CutPrefix(m.Dialled(), "+")
	if !international {
		return nil
	}
	if !c.admits(digits) {
		return ErrNumberNotServed
	}
	if slices.ContainsFunc(c.DeniedTypes, func(name string) bool { return longestBeginning(networkTypes[name], digits) > 0 }) {
		return ErrNumberNotServed
	}
	parsed, err := phonenumbers.Parse(m.number, "")
	if err != nil {
		return ErrNumberNotServed
	}
	kind := phonenumbers.GetNumberType(parsed)
	denies := func(name string) bool {
		of, isType := numberTypes[name] // what is none would read as the first of the types
		return isType && of == kind
	}
	if slices.ContainsFunc(c.DeniedTypes, denies) {
		return ErrNumberNotServed
	}
	return nil
}

// longestBeginning returns the length of the longest entry that text begins
// with, 0 for none.
func longestBeginning(entries []string, text string) int {
	longest := 0
	for _, entry := range entries {
		if strings.HasPrefix(text, entry) {
			longest = max(longest, len(entry))
		}
	}
	return longest
}

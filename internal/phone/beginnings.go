package phone

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/nyaruka/phonenumbers"
)

// ParseBeginnings reads a list of calling codes, or longer beginnings of international numbers,
// as people write it: with or without a plus, between commas, semicolons or blanks. It returns
// them as [Restrictions] has them, each once and in order. The error names every entry that is
// none.
func ParseBeginnings(text string) ([]string, error) {
	var beginnings []string
	var faults []error
	for i, entry := range strings.FieldsFunc(text, func(r rune) bool { return r == ',' || r == ';' || unicode.IsSpace(r) }) {
		digits := strings.TrimPrefix(entry, "+")
		if err := checkBeginning(i, entry, digits); err != nil {
			faults = append(faults, err)
			continue
		}
		beginnings = append(beginnings, digits)
	}
	if len(faults) > 0 {
		return nil, errors.Join(faults...)
	}
	slices.Sort(beginnings)
	return slices.Compact(beginnings), nil
}

// CheckBeginnings does the same to a list whose entries are written as [Restrictions] has them,
// and says it in one line.
func CheckBeginnings(entries []string) error {
	var faults []string
	for i, entry := range entries {
		if err := checkBeginning(i, entry, entry); err != nil {
			faults = append(faults, err.Error())
		}
	}
	if len(faults) == 0 {
		return nil
	}
	return errors.New("must be digits, as in 49 or 1876: " + strings.Join(faults, ", "))
}

// IsCallingCode reports whether text is a calling code, as [Number.CallingCode] has it.
func IsCallingCode(text string) bool {
	code, err := strconv.Atoi(text)
	return err == nil && strconv.Itoa(code) == text && phonenumbers.GetSupportedCallingCodes()[code]
}

// longestBeginningOfMany is how many digits a beginning has at most: no more are needed to tell
// where a number leads (ITU-T E.164, on digit analysis). What is longer is somebody's number, or
// most of one, and lists stand in the log and in the audit trail. Only a few islands, such as
// Tokelau, have whole numbers that are no longer.
const longestBeginningOfMany = 7

// checkBeginning says why an entry is no beginning of numbers. It does not repeat what may be one.
func checkBeginning(i int, entry, digits string) error {
	switch {
	case len(digits) > longestBeginningOfMany:
		return fmt.Errorf("entry %d has more than %d digits, as a whole number has", i+1, longestBeginningOfMany)
	case !begins(digits):
		return fmt.Errorf("no number begins with %q", entry)
	}
	return nil
}

// begins reports whether there may be international numbers that begin so.
func begins(digits string) bool {
	if digits == "" || digits[0] == '0' || strings.Trim(digits, "0123456789") != "" {
		return false
	}
	if FromStore("+"+digits).CallingCode() != "" {
		return true
	}
	for _, codes := range networkTypes { // the library does not know all of them
		if longestBeginning(codes, digits) > 0 {
			return true
		}
	}
	for code := range phonenumbers.GetSupportedCallingCodes() {
		if strings.HasPrefix(strconv.Itoa(code), digits) {
			return true
		}
	}
	return false
}

// Contradiction returns what cannot be allowed because its type is denied; nil for nothing.
func (c Restrictions) Contradiction() error {
	var faults []error
	for _, name := range c.DeniedTypes {
		for _, allowed := range c.Allowed {
			if longestBeginning(networkTypes[name], allowed) > 0 {
				faults = append(faults, fmt.Errorf("%q is of the type %s, which mobile.denied_types names", allowed, name))
			}
		}
	}
	return errors.Join(faults...)
}

// Serves reports whether any number of a calling code may be texted, whatever types are denied
// within it.
func (c Restrictions) Serves(callingCode string) bool {
	if slices.ContainsFunc(c.DeniedTypes, func(name string) bool { return longestBeginning(networkTypes[name], callingCode) > 0 }) {
		return false
	}
	within := func(entry string) bool { return len(entry) > len(callingCode) && strings.HasPrefix(entry, callingCode) }
	if slices.ContainsFunc(c.Allowed, func(entry string) bool { return within(entry) && !slices.Contains(c.Denied, entry) }) {
		return true
	}
	return c.admits(callingCode)
}

// Includes reports whether all numbers that other restrictions admit by their beginning are admitted
// here too.
func (c Restrictions) Includes(other Restrictions) bool {
	// What either list says changes at its entries only, and holds up to the next longer one.
	for _, entry := range slices.Concat(c.Allowed, c.Denied, other.Allowed, other.Denied) {
		if other.admits(entry) && !c.admits(entry) {
			return false
		}
	}
	return len(other.Allowed) > 0 || len(c.Allowed) == 0
}

// NarrowedTo returns what Allowed has to be so that of what is served now only some calling codes
// are: longer beginnings that are allowed within one stay as they are.
func (c Restrictions) NarrowedTo(callingCodes []string) []string {
	var narrowed []string
	for _, code := range callingCodes {
		whole := len(c.Allowed) == 0 || longestBeginning(c.Allowed, code) > 0
		if whole {
			narrowed = append(narrowed, code)
		}
		for _, entry := range c.Allowed {
			if len(entry) > len(code) && strings.HasPrefix(entry, code) {
				narrowed = append(narrowed, entry)
			}
		}
	}
	slices.Sort(narrowed)
	return slices.Compact(narrowed)
}

// DeniedWith returns what Denied has to be so that none of some calling codes is served: longer
// beginnings that are allowed within one are denied too.
func (c Restrictions) DeniedWith(callingCodes []string) []string {
	denied := slices.Concat(c.Denied, callingCodes)
	for _, entry := range c.Allowed {
		if longestBeginning(callingCodes, entry) > 0 {
			denied = append(denied, entry)
		}
	}
	slices.Sort(denied)
	return slices.Compact(denied)
}

// Longest is how many digits the longest beginning has that decides anything.
func (c Restrictions) Longest() int {
	longest := longestCallingCode
	for _, entry := range slices.Concat(c.Allowed, c.Denied) {
		longest = max(longest, len(entry))
	}
	return longest
}

// ServesBeginning reports whether numbers that begin so may be texted, as far as Allowed and
// Denied say. The beginning has the plus, and [Restrictions.Longest] digits where the number has
// as many.
func (c Restrictions) ServesBeginning(beginning string) bool {
	digits, international := strings.CutPrefix(beginning, "+")
	if !international {
		return true
	}
	return c.admits(digits)
}

// admits reports what Allowed and Denied say of a number's digits.
func (c Restrictions) admits(digits string) bool {
	allowed, denied := longestBeginning(c.Allowed, digits), longestBeginning(c.Denied, digits)
	return (denied == 0 || denied < allowed) && (len(c.Allowed) == 0 || allowed > 0)
}

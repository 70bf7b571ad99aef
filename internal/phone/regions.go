package phone

import (
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/nyaruka/phonenumbers"
)

// RegionsOf returns the countries (ISO 3166-1) that share a calling code, the
// main one first; 001 is the world, and there are none for what is no code.
func RegionsOf(callingCode string) []string {
	code, err := strconv.Atoi(callingCode)
	if err != nil {
		return nil
	}
	return slices.Clone(phonenumbers.GetRegionCodesForCountryCode(code))
}

// lengths of the numbers of a country, without its calling code; zero for not
// known.
type lengths struct{ least, most int }

// mobileLengths are those of the mobile numbers of each calling code. In some
// countries a number of four digits is possible, but no mobile one.
var mobileLengths = sync.OnceValue(func() map[int]lengths {
	all := map[int]lengths{}
	collection, err := phonenumbers.MetadataCollection()
	if err != nil {
		return all // it is embedded; without it every length is taken
	}
	for _, country := range collection.GetMetadata() {
		possible := country.GetMobile().GetPossibleLength()
		if len(possible) == 0 {
			possible = country.GetGeneralDesc().GetPossibleLength()
		}
		code := int(country.GetCountryCode())
		for _, length := range possible {
			if length < 0 { // none
				continue
			}
			known, n := all[code], int(length)
			if known.least == 0 || n < known.least {
				known.least = n
			}
			known.most = max(known.most, n)
			all[code] = known
		}
	}
	return all
})

// isEmergency reports whether digits call for help anywhere.
func isEmergency(digits string) bool {
	if len(digits) > 6 {
		return false
	}
	for region := range phonenumbers.GetSupportedRegions() {
		if phonenumbers.IsEmergencyNumber(digits, region) {
			return true
		}
	}
	return false
}

// isService reports whether a number is a short one of its country, and no other.
func isService(parsed *phonenumbers.PhoneNumber, nsn string) bool {
	for _, region := range phonenumbers.GetRegionCodesForCountryCode(int(parsed.GetCountryCode())) {
		if phonenumbers.IsEmergencyNumber(nsn, region) || phonenumbers.IsValidShortNumberForRegion(parsed, region) {
			return !phonenumbers.IsValidNumber(parsed)
		}
	}
	return false
}

// Countries whose mobile numbers are, or were, written in two ways. Who calls
// Argentina from abroad dials 9 before a mobile number; Mexico gave its 1 up in
// 2019, and with it the prefixes that it had at home; Italy's mobile numbers have
// no zero before them, as its other numbers have.
const (
	argentina = 54
	mexico    = 52
	italy     = 39

	argentineLength = 10 // without the 9
	argentineMobile = "9"
	argentineLocal  = "15" // stands for an area code that is missing
	mexicanLength   = 10
)

var mexicanPrefixes = []string{"1", "01", "044", "045"}

// today returns a number in the one form that it has today.
func today(parsed *phonenumbers.PhoneNumber) *phonenumbers.PhoneNumber {
	code, nsn := int(parsed.GetCountryCode()), phonenumbers.GetNationalSignificantNumber(parsed)
	switch {
	case code == argentina && len(nsn) == argentineLength && !strings.HasPrefix(nsn, argentineLocal):
		switch phonenumbers.GetNumberType(parsed) { //nolint:exhaustive // other types are no mobile numbers written short
		case phonenumbers.FIXED_LINE, phonenumbers.MOBILE, phonenumbers.FIXED_LINE_OR_MOBILE, phonenumbers.UNKNOWN:
			return reread(parsed, "+549"+nsn)
		}
	case code == mexico && len(nsn) > mexicanLength:
		if slices.Contains(mexicanPrefixes, nsn[:len(nsn)-mexicanLength]) {
			return reread(parsed, "+52"+nsn[len(nsn)-mexicanLength:])
		}
	case code == italy && strings.HasPrefix(nsn, "0") && !phonenumbers.IsValidNumber(parsed):
		mobile := reread(parsed, "+39"+strings.TrimPrefix(nsn, "0"))
		if phonenumbers.GetNumberType(mobile) == phonenumbers.MOBILE {
			return mobile
		}
	}
	return parsed
}

// reread returns another number, or the same where that is none.
func reread(parsed *phonenumbers.PhoneNumber, text string) *phonenumbers.PhoneNumber {
	other, err := phonenumbers.Parse(text, "")
	if err != nil {
		return parsed
	}
	return other
}

// todaysForm does the same to what former releases stored, which is read often
// and so by its beginning and length alone.
func todaysForm(dialled string) string {
	const plus = len("+")
	switch {
	case len(dialled) == plus+2+argentineLength && strings.HasPrefix(dialled, "+54") && !strings.Contains(dialled, "*"):
		if m, err := international(dialled[plus:]); err == nil {
			return m
		}
	case len(dialled) == plus+3+mexicanLength && strings.HasPrefix(dialled, "+521") && !strings.Contains(dialled, "*"):
		return "+52" + dialled[len("+521"):]
	}
	return dialled
}

// withoutTrunkZero takes the zero out that people write before Italian mobile
// numbers. A fixed line that differs in it alone gets no texts.
func withoutTrunkZero(dialled string) string {
	if rest, ok := strings.CutPrefix(dialled, "+390"); ok {
		return "+39" + rest
	}
	return dialled
}

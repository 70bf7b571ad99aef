package claim

import (
	"slices"
	"strconv"

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

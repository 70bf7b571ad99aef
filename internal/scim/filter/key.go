package filter

import (
	"fmt"
	"math"
	"strconv"

	"github.com/holdline/holdline/internal/scim"
)

// momentKey is a form of fixed length, so that it sorts by time.
const momentKey = "2006-01-02T15:04:05.000000000Z"

// keyOf returns what a value is found by, or false if it equals nothing. Numbers
// are only sorted by their keys, which are too coarse to tell integers apart.
func keyOf(a scim.Attribute, value any) (string, bool) {
	switch a.Type {
	case scim.Boolean:
		b, ok := boolean(value)
		return strconv.FormatBool(b), ok
	case scim.Integer, scim.Decimal:
		return "", false
	case scim.DateTime:
		t, ok := moment(value)
		return t.Format(momentKey), ok
	case scim.Complex:
		return "", false
	default:
		return scim.Key(textOf(a, value)), scalar(value)
	}
}

// sortKeyOf returns what a value is sorted by.
func sortKeyOf(a scim.Attribute, value any) (string, bool) {
	if a.Type != scim.Integer && a.Type != scim.Decimal {
		return keyOf(a, value)
	}
	x, ok := number(value)
	bits := math.Float64bits(x + 0) // no negative zero
	if x < 0 {
		bits = ^bits
	} else {
		bits |= 1 << 63
	}
	return fmt.Sprintf("%016x", bits), ok
}

package filter

import (
	"cmp"
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	grammar "github.com/scim2/filter-parser/v2"

	"github.com/holdline/holdline/internal/scim"
)

// match reports whether an attribute with these values matches the comparison. The
// attribute is the one whose values they are.
func (c comparison) match(a scim.Attribute, values []any) bool {
	present := 0
	for _, value := range values {
		if value != nil {
			present++
		}
	}
	switch {
	case c.operator == grammar.PR:
		return anyOf(values, assigned)
	case c.value == nil && c.operator == grammar.EQ:
		return present == 0 || present < len(values)
	case c.value == nil:
		return c.operator == grammar.NE && present > 0
	case c.operator == grammar.NE && len(values) == 0:
		return true
	}
	return anyOf(values, func(value any) bool { return c.matchOne(a, value) })
}

func anyOf(values []any, match func(any) bool) bool {
	for _, value := range values {
		if match(value) {
			return true
		}
	}
	return false
}

func (c comparison) matchOne(a scim.Attribute, value any) bool {
	if c.partial() {
		return scalar(value) && textual(a) && c.matchText(textOf(a, value), textOf(a, c.value))
	}
	order, ok := compare(a, value, c.value)
	inOrder := ok && ordered(a)
	switch c.operator {
	case grammar.NE:
		return !ok || order != 0
	case grammar.EQ:
		return ok && order == 0
	case grammar.GT:
		return inOrder && order > 0
	case grammar.GE:
		return inOrder && order >= 0
	case grammar.LT:
		return inOrder && order < 0
	default:
		return inOrder && order <= 0
	}
}

// partial reports whether the comparison is with a part of a text.
func (c comparison) partial() bool {
	return c.operator == grammar.CO || c.operator == grammar.SW || c.operator == grammar.EW
}

func (c comparison) matchText(text, part string) bool {
	switch c.operator {
	case grammar.CO:
		return strings.Contains(text, part)
	case grammar.SW:
		return strings.HasPrefix(text, part)
	default:
		return strings.HasSuffix(text, part)
	}
}

// assigned reports whether a value counts as present: non-empty, or a complex one
// with something non-empty in it.
func assigned(value any) bool {
	switch value := value.(type) {
	case nil:
		return false
	case string:
		return value != ""
	case []any:
		return anyOf(value, assigned)
	case map[string]any:
		for _, member := range value {
			if assigned(member) {
				return true
			}
		}
		return false
	default:
		return true
	}
}

// textual reports whether co, sw and ew make sense of an attribute.
func textual(a scim.Attribute) bool {
	switch a.Type {
	case scim.Boolean, scim.Integer, scim.Decimal, scim.Complex:
		return false
	default:
		return true
	}
}

// ordered reports whether gt, ge, lt and le make sense of an attribute (RFC 7644,
// table 3).
func ordered(a scim.Attribute) bool {
	switch a.Type {
	case scim.Boolean, scim.Binary, scim.Complex:
		return false
	default:
		return true
	}
}

// compare orders a value and a literal, or says that they cannot be compared.
func compare(a scim.Attribute, value, literal any) (order int, ok bool) {
	switch a.Type {
	case scim.Boolean:
		left, isLeft := boolean(value)
		right, isRight := boolean(literal)
		return cmp.Compare(strconv.FormatBool(left), strconv.FormatBool(right)), isLeft && isRight
	case scim.Integer, scim.Decimal:
		return compareNumbers(value, literal)
	case scim.DateTime:
		left, isLeft := moment(value)
		right, isRight := moment(literal)
		return left.Compare(right), isLeft && isRight
	case scim.Complex:
		return 0, false
	default:
		return strings.Compare(textOf(a, value), textOf(a, literal)), scalar(value)
	}
}

func scalar(value any) bool {
	switch value.(type) {
	case string, bool, json.Number:
		return true
	default:
		return false
	}
}

// textOf returns a value as it is compared: folded unless the attribute is case
// exact. References and binaries always are (RFC 7643, sections 2.3.6, 2.3.7).
func textOf(a scim.Attribute, value any) string {
	text, ok := value.(string)
	if !ok {
		text = fmt.Sprint(value)
	}
	if exact(a) {
		return text
	}
	return scim.Fold(text)
}

func exact(a scim.Attribute) bool {
	return a.CaseExact || a.Type == scim.Reference || a.Type == scim.Binary
}

func boolean(value any) (b, ok bool) {
	switch value := value.(type) {
	case bool:
		return value, true
	case string:
		b = strings.EqualFold(value, "true")
		return b, b || strings.EqualFold(value, "false")
	default:
		return false, false
	}
}

// compareNumbers compares integers exactly and other numbers as doubles.
func compareNumbers(value, literal any) (int, bool) {
	left, right := fmt.Sprint(value), fmt.Sprint(literal)
	m, errM := strconv.ParseInt(left, 10, 64)
	n, errN := strconv.ParseInt(right, 10, 64)
	if errM == nil && errN == nil {
		return cmp.Compare(m, n), true
	}
	x, isX := number(value)
	y, isY := number(literal)
	return cmp.Compare(x, y), isX && isY
}

func number(value any) (float64, bool) {
	switch value := value.(type) {
	case json.Number:
		return parseNumber(value.String())
	case string:
		return parseNumber(value)
	case float64:
		return value, true
	default:
		return 0, false
	}
}

func parseNumber(text string) (float64, bool) {
	x, err := strconv.ParseFloat(text, 64)
	return x, err == nil && !math.IsNaN(x) && !math.IsInf(x, 0)
}

// moment reads an xsd:dateTime. One without a zone is taken to be in UTC.
func moment(value any) (time.Time, bool) {
	text, ok := value.(string)
	if !ok {
		return time.Time{}, false
	}
	for _, form := range []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999"} {
		if t, err := time.Parse(form, text); err == nil {
			t = t.UTC()
			return t, t.Year() >= 0 && t.Year() <= 9999 // others would not sort as text
		}
	}
	return time.Time{}, false
}

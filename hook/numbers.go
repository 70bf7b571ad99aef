package hook

import (
	"bytes"
	"context"
	"encoding/json"
	"math"
	"strconv"
	"strings"

	"github.com/holdline/holdline/internal/web"
)

// Kratos hands identities to jsonnet, which has numbers of double precision only
// (https://jsonnet.org/ref/spec.html#values): 9007199254740993 comes from it as
// 9007199254740992, and 0.1 as 0.10000000000000001. What the answer would write back
// so is taken from the identity itself.
const (
	// mostWhole is 2^53. Whole numbers below it are what they were.
	mostWhole = 1 << 53
	// sureDigits is how many significant digits of a fraction a double keeps.
	sureDigits = 15
)

// exact gives the numbers of a body back the digits that jsonnet cost them. Without
// such numbers it asks nobody. A number that the form itself changes has lost its
// digits for good: web.ErrDigits.
func (h handlers) exact(ctx context.Context, identityID string, in *settingsBody) error {
	traits, public := numbersOf(in.Traits), numbersOf(in.MetadataPublic)
	if !doubtful(traits) && !doubtful(public) {
		return nil
	}
	stored, err := h.Documents(ctx, identityID)
	if err != nil {
		return err
	}
	if in.Traits, err = restored(in.Traits, traits, stored.Traits); err != nil {
		return err
	}
	in.MetadataPublic, err = restored(in.MetadataPublic, public, stored.MetadataPublic)
	return err
}

// Documents are what an identity stores, to the digit.
type Documents struct{ Traits, MetadataPublic json.RawMessage }

// numbersOf reads the members of an object, with numbers as they are written.
func numbersOf(members object) map[string]any {
	read := make(map[string]any, len(members))
	for name, text := range members {
		if text[0] != '"' { // most have no number in them
			read[name] = numbersIn(text)
		}
	}
	return read
}

func numbersIn(text json.RawMessage) any {
	var value any
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	if decoder.Decode(&value) != nil {
		return nil // which is no number either
	}
	return value
}

// doubtful reports whether there is a number in a value whose digits may not be those
// that it had.
func doubtful(value any) bool {
	switch value := value.(type) {
	case map[string]any:
		for _, member := range value {
			if doubtful(member) {
				return true
			}
		}
	case []any:
		for _, element := range value {
			if doubtful(element) {
				return true
			}
		}
	case json.Number:
		return unsure(value)
	}
	return false
}

func unsure(n json.Number) bool {
	f, err := n.Float64()
	return err != nil || f != math.Trunc(f) || math.Abs(f) >= mostWhole
}

// restored writes members with the numbers that are stored in the same places. Members
// without doubtful numbers stay as they came.
func restored(members object, read map[string]any, stored json.RawMessage) (object, error) {
	kept, _ := numbersIn(stored).(map[string]any)
	out := make(object, len(members))
	for name, text := range members {
		if !doubtful(read[name]) {
			out[name] = text
			continue
		}
		value, err := restore(read[name], kept[name])
		if err != nil {
			return nil, err
		}
		if out[name], err = json.Marshal(value); err != nil {
			return nil, web.ErrMalformed
		}
	}
	return out, nil
}

// restore puts what is stored in the place of numbers that are the same double.
func restore(value, stored any) (any, error) {
	switch value := value.(type) {
	case map[string]any:
		kept, _ := stored.(map[string]any)
		for name, member := range value {
			restored, err := restore(member, kept[name])
			if err != nil {
				return nil, err
			}
			value[name] = restored
		}
	case []any:
		kept, _ := stored.([]any)
		for i, element := range value {
			var same any
			if i < len(kept) {
				same = kept[i]
			}
			restored, err := restore(element, same)
			if err != nil {
				return nil, err
			}
			value[i] = restored
		}
	case json.Number:
		return digits(value, stored)
	}
	return value, nil
}

// digits returns a number as it is stored or, if the form changed it, as it was typed,
// where that can be known.
func digits(n json.Number, stored any) (json.Number, error) {
	f, err := n.Float64()
	if err != nil {
		return n, web.ErrDigits
	}
	if kept, ok := stored.(json.Number); ok {
		if same, err := kept.Float64(); err == nil && same == f {
			return kept, nil
		}
	}
	if !unsure(n) {
		return n, nil
	}
	// The shortest text of the double is what was typed, if that had no more digits
	// than every double keeps.
	shortest := strconv.FormatFloat(f, 'e', -1, 64)
	mantissa, _, _ := strings.Cut(strings.TrimPrefix(shortest, "-"), "e")
	if math.Abs(f) >= mostWhole || len(strings.Replace(mantissa, ".", "", 1)) > sureDigits {
		return n, web.ErrDigits
	}
	return json.Number(strconv.FormatFloat(f, 'g', -1, 64)), nil
}

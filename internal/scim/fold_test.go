package scim_test

import (
	"strings"
	"testing"
	"unicode"

	"pgregory.net/rapid"

	"github.com/holdline/holdline/internal/scim"
)

func TestFoldedTextsAreEqualWhenTheyDifferInCaseOnly(t *testing.T) {
	some := rapid.StringOf(rapid.OneOf(
		rapid.SampledFrom([]rune("aAsSſkK\u212aßẞσΣςéÉiIıİ")), rapid.RuneFrom(nil, unicode.Letter),
	))
	rapid.Check(t, func(t *rapid.T) {
		a := some.Draw(t, "a")
		b := rapid.OneOf(some, rapid.SampledFrom([]string{
			a, strings.ToUpper(a), strings.ToLower(a), strings.ToTitle(a), scim.Fold(a),
		})).Draw(t, "b")
		if got, want := scim.Fold(a) == scim.Fold(b), strings.EqualFold(a, b); got != want {
			t.Fatalf("%q and %q: got %t, want %t", a, b, got, want)
		}
	})
	for text, want := range map[string]string{"BJensen@Example.COM": "bjensen@example.com", "ſ": "s", "\u212a": "k"} {
		if got := scim.Fold(text); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}

func TestKeysOfLongTextsFitAndDiffer(t *testing.T) {
	long := strings.Repeat("x", 1000)
	a, b := scim.Key(long+"a"), scim.Key(long+"b")
	if a == b || len(a) != scim.KeyWidth || !strings.HasPrefix(a, long[:scim.KeyLength]) {
		t.Errorf("got %q and %q", a, b)
	}
	if short := long[:scim.KeyLength]; scim.Key(short) != short {
		t.Error("a short text is not its own key")
	}
}

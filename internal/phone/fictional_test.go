package phone_test

import (
	"testing"

	"github.com/holdline/holdline/internal/phone"
)

func TestFictionalNumbersAreReadAndTold(t *testing.T) {
	plan := phone.Parser{Format: phone.FormatE164}
	for _, text := range phone.FictionalNumbers() {
		if n, err := phone.Parse(plan, text); err != nil || !n.Fictional() || n.Unmasked() != text {
			t.Errorf("%s: got %v, fictional %t, %v", text, n, n.Fictional(), err)
		}
	}
	for _, text := range []string{"+4477009001", "+447700901000", "+4915112345671", "+12025550200", "+447400900123", "+4917604069100"} {
		if phone.FromStore(text).Fictional() {
			t.Errorf("%s counts as one that nobody has", text)
		}
	}
	if (phone.Number{}).Fictional() {
		t.Error("no number counts as one that nobody has")
	}
}

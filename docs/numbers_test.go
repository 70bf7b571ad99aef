package docs_test

import (
	"errors"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/holdline/holdline/internal/phone"
	"github.com/holdline/holdline/internal/web"
)

// The page of texts names every reason, says what people read, and has examples
// that are what it says of them.
func TestTheRefusalsOfNumbersAreAsDocumented(t *testing.T) {
	page, err := os.ReadFile("sms.md")
	if err != nil {
		t.Fatal(err)
	}
	_, about, _ := strings.Cut(string(page), "\n## Numbers\n")
	e164 := phone.Parser{Format: phone.FormatE164}
	missing := map[phone.Fault]bool{
		phone.NotANumber: true, phone.NoCallingCode: true, phone.HasExtension: true, phone.SeveralNumbers: true, phone.TooShort: true,
		phone.TooLong: true, phone.WrongLength: true, phone.LocalOnly: true, phone.ServiceNumber: true,
	}
	for _, row := range regexp.MustCompile("(?m)^\\| `([a-z_]+)` \\| (.+) \\| `(.+)` \\|$").FindAllStringSubmatch(about, -1) {
		reason, sentence, example := phone.Fault(row[1]), row[2], row[3]
		delete(missing, reason)
		_, err := phone.Parse(e164, example)
		refused := (*phone.Error)(nil)
		if !errors.As(err, &refused) || refused.Fault != reason || web.ProblemFor(err, "en").Description != sentence {
			t.Errorf("%q is %v: %s; the page says %s: %s", example, err, web.ProblemFor(err, "en").Description, reason, sentence)
		}
	}
	for reason := range missing {
		t.Errorf("%s is not in the table", reason)
	}
	_, spellings, _ := strings.Cut(about, "These all are that number: ")
	spellings, _, _ = strings.Cut(spellings, "and with")
	for _, spelling := range regexp.MustCompile("`([^`]+)`").FindAllStringSubmatch(spellings, -1) {
		if m, err := phone.Parse(e164, spelling[1]); err != nil || m.Unmasked() != "+4915112345678" {
			t.Errorf("%s is %s, %v", spelling[1], m.Unmasked(), err)
		}
	}
}

package phone_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"testing"

	"github.com/nyaruka/phonenumbers"

	"github.com/holdline/holdline/internal/phone"
)

var (
	e164   = phone.Parser{Format: phone.FormatE164}
	german = phone.Parser{Format: phone.FormatE164, Region: "de"}
	raw    = phone.Parser{Format: phone.FormatRaw}
)

func TestNumbersAreReadByThePlan(t *testing.T) {
	for name, tt := range map[string]struct {
		plan phone.Parser
		text string
		want string // blank: refused
	}{
		"international":                {e164, "+49 171 1234567", "+491711234567"},
		"with punctuation":             {e164, " +1 (415) 555-2671 ", "+14155552671"},
		"tel URI":                      {e164, "tel:+1-415-555-2671", "+14155552671"},
		"tel URI with context":         {e164, "TEL:415-555-2671;phone-context=+1", ""},
		"national without region":      {e164, "0171 1234567", ""},
		"national with region":         {german, "0171 1234567", "+491711234567"},
		"foreign with region":          {german, "+14155552671", "+14155552671"},
		"too short to be possible":     {e164, "+1415", ""},
		"too long to be possible":      {e164, "+49171123456789012345", ""},
		"vanity letters":               {e164, "+1 800 FLOWERS", ""},
		"extension":                    {e164, "+14155552671 ext. 5", ""},
		"no number":                    {e164, "hello", ""},
		"blank":                        {e164, "  ", ""},
		"markup":                       {e164, "<b>+14155552671</b>", ""},
		"endless":                      {e164, "+" + strings.Repeat("4", 500), ""},
		"raw as typed":                 {raw, "077 123-4567", "077 123-4567"},
		"raw shortest":                 {raw, "112", "112"},
		"raw too short":                {raw, "12", ""},
		"raw longest":                  {raw, strings.Repeat("1", 32), strings.Repeat("1", 32)},
		"raw too long":                 {raw, strings.Repeat("1", 33), ""},
		"raw letters":                  {raw, "12a4", ""},
		"raw plus in front":            {raw, "+4477123", "+4477123"},
		"raw plus inside":              {raw, "44+77123", ""},
		"raw nothing but punctuation":  {raw, "(--)", ""},
		"raw with digits of elsewhere": {raw, "١٢٣٤٥", "12345"},
		"raw with what is not seen":    {raw, "\u202a077\u00a0123\u20114567\u202c", "077 123-4567"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := phone.Parse(tt.plan, tt.text)
			if tt.want == "" {
				if !errors.Is(err, phone.ErrBadNumber) || !got.IsZero() {
					t.Errorf("got %q, %v; want it refused", got.Unmasked(), err)
				}
				return
			}
			if err != nil || got.Unmasked() != tt.want {
				t.Errorf("got %q, %v; want %q", got.Unmasked(), err, tt.want)
			}
		})
	}
}

func TestSpellingDoesNotMatter(t *testing.T) {
	for _, stored := range []string{"+49 171 1234567", "+49-171-1234567", "+491711234567", "tel:+491711234567"} {
		wanted, err := phone.Parse(e164, "+491711234567")
		if err != nil || !phone.ParseStored(e164, stored).Same(wanted) {
			t.Errorf("%q is another number", stored)
		}
	}
	if a, b := phone.ParseStored(raw, "077 123"), phone.ParseStored(raw, "077123"); !a.Same(b) {
		t.Error("raw numbers are compared with their spaces")
	}
	if phone.ParseStored(e164, "0171 1").Same(phone.ParseStored(e164, "0171 2")) {
		t.Error("two stored numbers that the plan does not know are the same")
	}
}

func TestNumbersPrintMasked(t *testing.T) {
	m := phone.FromStore("+491711234567")
	encoded, err := json.Marshal(map[string]any{"to": m})
	if err != nil {
		t.Fatal(err)
	}
	var log strings.Builder
	slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "to", m)
	for _, text := range []string{
		m.String(), fmt.Sprint(m), fmt.Sprintf("%v %+v %#v %q %s %d", m, m, m, m, m, m), string(encoded), log.String(),
	} {
		if strings.Contains(text, "1711234") {
			t.Errorf("the number shows in %s", text)
		}
	}
	if got, want := m.String(), "+49********67"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := phone.FromStore("112").String(); got != "***" {
		t.Errorf("a short number prints as %q", got)
	}
}

func TestCallingCodesAreThoseOfTheNumberingPlan(t *testing.T) {
	for region := range phonenumbers.GetSupportedRegions() {
		example := phonenumbers.GetExampleNumber(region)
		number := phone.FromStore(phonenumbers.Format(example, phonenumbers.E164))
		if got, want := number.CallingCode(), strconv.Itoa(int(example.GetCountryCode())); got != want {
			t.Errorf("%s: got %q, want %q", region, got, want)
		}
	}
	for text, want := range map[string]string{
		"+49 (171) 123-45": "49", "+800 1234 5678": "800", "0171 12345": "", "112": "", "": "", "+": "", "+0": "", "+999 1": "",
	} {
		if got := phone.FromStore(text).CallingCode(); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}

func TestStoredTextIsTheNumberInAnySpelling(t *testing.T) {
	number := phone.ParseStored(german, "+491711234567")
	for text, want := range map[string]bool{
		"+491711234567": true, "+49 171 1234567": true, "0171 1234567": true, "tel:+49-171-1234567": true,
		"1711234567": true, "+491711234568": false, "": false, "1711234": false,
	} {
		if got := number.IsStored(german, text); got != want {
			t.Errorf("%q: got %v", text, got)
		}
	}
}

func FuzzParseMobile(f *testing.F) {
	for _, seed := range []string{"+491711234567", "0171 1234567", "tel:+1-415-555-2671", "+1 (415) 555-2671;ext=5"} {
		f.Add(seed, true)
		f.Add(seed, false)
	}
	f.Fuzz(func(t *testing.T, text string, international bool) {
		plan := raw
		if international {
			plan = german
		}
		m, err := phone.Parse(plan, text)
		if err != nil {
			if len(text) > 8 && strings.Contains(err.Error(), text) {
				t.Errorf("the error repeats the input")
			}
			return
		}
		again, err := phone.Parse(plan, m.Unmasked())
		if err != nil || !again.Same(m) || again.Unmasked() != m.Unmasked() {
			t.Errorf("parsed, printed and parsed again, %q became %q (%v)", m.Unmasked(), again.Unmasked(), err)
		}
		if len(m.Key()) > 4 && !strings.Contains(m.Key(), "*") && strings.Contains(m.String(), m.Key()) {
			t.Errorf("%q prints itself", m.Key())
		}
	})
}

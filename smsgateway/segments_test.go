package smsgateway_test

import (
	"strings"
	"testing"

	"github.com/holdline/holdline/smsgateway"
)

func TestSegments(t *testing.T) {
	for name, tt := range map[string]struct {
		text     string
		encoding smsgateway.Encoding
		count    int
	}{
		"nothing":                            {"", smsgateway.GSM7, 1},
		"a full text":                        {strings.Repeat("a", 160), smsgateway.GSM7, 1},
		"one more":                           {strings.Repeat("a", 161), smsgateway.GSM7, 2},
		"two full ones":                      {strings.Repeat("a", 306), smsgateway.GSM7, 2},
		"one more than two":                  {strings.Repeat("a", 307), smsgateway.GSM7, 3},
		"the alphabet's odd ones":            {"@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ¤¡ÄÖÑÜ§¿äöñüà", smsgateway.GSM7, 1},
		"extension counts twice":             {strings.Repeat("€", 80), smsgateway.GSM7, 1},
		"extension, one too many":            {strings.Repeat("€", 81), smsgateway.GSM7, 2},
		"extension, all of them":             {strings.Repeat("\f^{}\\[~]|€", 8), smsgateway.GSM7, 1},
		"an escape is not torn":              {strings.Repeat("a", 152) + "€" + strings.Repeat("a", 152), smsgateway.GSM7, 3},
		"small c with cedilla is not in it":  {"ç", smsgateway.UCS2, 1},
		"grave accent is not in it":          {"`", smsgateway.UCS2, 1},
		"a full wide text":                   {strings.Repeat("ж", 70), smsgateway.UCS2, 1},
		"one more wide one":                  {strings.Repeat("ж", 71), smsgateway.UCS2, 2},
		"two full wide ones":                 {strings.Repeat("ж", 134), smsgateway.UCS2, 2},
		"one more than two wide ones":        {strings.Repeat("ж", 135), smsgateway.UCS2, 3},
		"pairs count twice":                  {strings.Repeat("😀", 35), smsgateway.UCS2, 1},
		"pairs, one too many":                {strings.Repeat("😀", 36), smsgateway.UCS2, 2},
		"a pair is not torn":                 {strings.Repeat("😀", 67), smsgateway.UCS2, 3},
		"one wide letter makes all of it so": {strings.Repeat("a", 70) + "ж", smsgateway.UCS2, 2},
		"broken UTF-8 still counts":          {"\xff", smsgateway.UCS2, 1},
	} {
		t.Run(name, func(t *testing.T) {
			got := smsgateway.Measure(tt.text)
			if got.Encoding != tt.encoding || got.Messages != tt.count {
				t.Errorf("got %+v, want %s, %d", got, tt.encoding, tt.count)
			}
		})
	}
}

// The default alphabet has 128 places, one of which escapes to the extension of
// ten.
func TestTheAlphabetHasNoOtherCharacters(t *testing.T) {
	sizes := map[int]int{}
	for r := range rune(0x10000) {
		if smsgateway.Measure(string(r)).Encoding == smsgateway.GSM7 {
			sizes[smsgateway.Measure(strings.Repeat(string(r), 160)).Messages]++
		}
	}
	if sizes[1] != 127 || sizes[3] != 10 || len(sizes) != 2 {
		t.Errorf("got %v, want 127 characters of one septet and 10 of two", sizes)
	}
}

func FuzzSegments(f *testing.F) {
	f.Add("a€😀")
	f.Fuzz(func(t *testing.T, text string) {
		whole, longer := smsgateway.Measure(text), smsgateway.Measure(text+"a").Messages
		if whole.Messages < 1 || longer < whole.Messages || longer > whole.Messages+1 {
			t.Errorf("%+v, one letter more: %d", whole, longer)
		}
	})
}

package segment_test

import (
	"strings"
	"testing"

	"github.com/holdline/holdline/smsgateway/segment"
)

func TestSegments(t *testing.T) {
	for name, tt := range map[string]struct {
		text     string
		encoding segment.Encoding
		count    int
	}{
		"nothing":                            {"", segment.GSM7, 1},
		"a full text":                        {strings.Repeat("a", 160), segment.GSM7, 1},
		"one more":                           {strings.Repeat("a", 161), segment.GSM7, 2},
		"two full ones":                      {strings.Repeat("a", 306), segment.GSM7, 2},
		"one more than two":                  {strings.Repeat("a", 307), segment.GSM7, 3},
		"the alphabet's odd ones":            {"@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ¤¡ÄÖÑÜ§¿äöñüà", segment.GSM7, 1},
		"extension counts twice":             {strings.Repeat("€", 80), segment.GSM7, 1},
		"extension, one too many":            {strings.Repeat("€", 81), segment.GSM7, 2},
		"extension, all of them":             {strings.Repeat("\f^{}\\[~]|€", 8), segment.GSM7, 1},
		"an escape is not torn":              {strings.Repeat("a", 152) + "€" + strings.Repeat("a", 152), segment.GSM7, 3},
		"small c with cedilla is not in it":  {"ç", segment.UCS2, 1},
		"grave accent is not in it":          {"`", segment.UCS2, 1},
		"a full wide text":                   {strings.Repeat("ж", 70), segment.UCS2, 1},
		"one more wide one":                  {strings.Repeat("ж", 71), segment.UCS2, 2},
		"two full wide ones":                 {strings.Repeat("ж", 134), segment.UCS2, 2},
		"one more than two wide ones":        {strings.Repeat("ж", 135), segment.UCS2, 3},
		"pairs count twice":                  {strings.Repeat("😀", 35), segment.UCS2, 1},
		"pairs, one too many":                {strings.Repeat("😀", 36), segment.UCS2, 2},
		"a pair is not torn":                 {strings.Repeat("😀", 67), segment.UCS2, 3},
		"one wide letter makes all of it so": {strings.Repeat("a", 70) + "ж", segment.UCS2, 2},
		"broken UTF-8 still counts":          {"\xff", segment.UCS2, 1},
	} {
		t.Run(name, func(t *testing.T) {
			got := segment.Measure(tt.text)
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
		if segment.Measure(string(r)).Encoding == segment.GSM7 {
			sizes[segment.Measure(strings.Repeat(string(r), 160)).Messages]++
		}
	}
	if sizes[1] != 127 || sizes[3] != 10 || len(sizes) != 2 {
		t.Errorf("got %v, want 127 characters of one septet and 10 of two", sizes)
	}
}

func FuzzSegments(f *testing.F) {
	f.Add("a€😀")
	f.Fuzz(func(t *testing.T, text string) {
		whole, longer := segment.Measure(text), segment.Measure(text+"a").Messages
		if whole.Messages < 1 || longer < whole.Messages || longer > whole.Messages+1 {
			t.Errorf("%+v, one letter more: %d", whole, longer)
		}
	})
}

package textclean_test

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/runenames"

	"github.com/holdline/holdline/internal/textclean"
)

// Every character that Unicode knows, by the properties that the rule goes by.
func TestEveryCharacterIsCleanedByItsProperties(t *testing.T) {
	counts := map[string]int{}
	for r := rune(0); r <= unicode.MaxRune; r++ {
		if !utf8.ValidRune(r) {
			continue
		}
		got := textclean.Clean("1" + string(r) + "2")
		kind, want := "others", "1"+string(r)+"2"
		switch {
		case unicode.In(r, unicode.Zs, unicode.Zl, unicode.Zp), r >= '\t' && r <= '\r', r == '\u0085':
			kind, want = "spaces", "1 2"
		case unicode.In(r, unicode.Cf, unicode.Cc, unicode.Variation_Selector, unicode.Other_Default_Ignorable_Code_Point):
			kind, want = "invisible", "12"
		case unicode.In(r, unicode.Pd, unicode.Dash):
			kind, want = "dashes", "1-2"
		case unicode.Is(unicode.Nd, r):
			kind, want = "digits", "1"+digitByName(t, r)+"2"
		case r >= '！' && r <= '～':
			kind, want = "full width", "1"+string(r-'！'+'!')+"2"
		case r < 0x80:
			kind = "ASCII"
		default:
			if r == '\u20e3' || r == '\u2800' || strings.ContainsRune("\u02d7\u2043\u30fc\u2500\uff70", r) || unicode.Is(unicode.Hyphen, r) ||
				got != want && len(got) == 3 && r >= '﹐' && r <= '﹫' {
				continue // named below
			}
			if got != want && unicode.Is(unicode.Letter, r) {
				continue // half-width letters, which no number and no code has
			}
			if got != want && r >= 0xff5f && r <= 0xffee || r >= 0xffe0 && r <= 0xffe6 {
				continue // half-width and full-width signs
			}
		}
		counts[kind]++
		if got != want {
			t.Errorf("%U %s: got %q, want %q", r, runenames.Name(r), got, want)
		}
	}
	t.Logf("characters tried: %v", counts)
	for kind, least := range map[string]int{"spaces": 20, "invisible": 400, "dashes": 25, "digits": 600, "full width": 80, "ASCII": 80} {
		if counts[kind] < least {
			t.Errorf("%s: tried %d only", kind, counts[kind])
		}
	}
}

// digitByName reads a digit's value from its name, which says it in English.
func digitByName(t *testing.T, r rune) string {
	t.Helper()
	name := runenames.Name(r)
	for value, word := range []string{"ZERO", "ONE", "TWO", "THREE", "FOUR", "FIVE", "SIX", "SEVEN", "EIGHT", "NINE"} {
		if strings.HasSuffix(name, " "+word) {
			return string(rune('0' + value))
		}
	}
	t.Fatalf("%U %s names no digit", r, name)
	return ""
}

func TestWhatPeoplePasteBecomesWhatTheySee(t *testing.T) {
	for name, tt := range map[string]struct{ text, want string }{
		"embedding":            {"\u202a+49 151 12345678\u202c", "+49 151 12345678"},
		"override":             {"\u202d+49 151 12345678\u202c", "+49 151 12345678"},
		"isolate":              {"\u2068+49 151 12345678\u2069", "+49 151 12345678"},
		"mark at the end":      {"+49 151 12345678\u200e", "+49 151 12345678"},
		"narrow no-break":      {"+49\u202f151\u202f12345678", "+49 151 12345678"},
		"variation selector":   {"+49\ufe0d151\ufe0d12345678", "+4915112345678"},
		"supplementary one":    {"+49\U000e0101151", "+49151"},
		"keycaps":              {"1\ufe0f\u20e32\ufe0f\u20e3", "12"},
		"Devanagari":           {"+४९ १५१", "+49 151"},
		"Arabic-Indic":         {"١٢٣-٤٥٦", "123-456"},
		"mathematical":         {"𝟏𝟐𝟑𝟺𝟻𝟼", "123456"},
		"full width":           {"＋４９（０）１５１", "+49(0)151"},
		"full-width letters":   {"ＡＢｃ", "ABc"},
		"small forms":          {"﹢49 ﹙0﹚ 151", "+49 (0) 151"},
		"minus and soft":       {"12\u22123\u00ad4", "12-34"},
		"Japanese long vowel":  {"０９０ー１２３４ｰ５６７８", "090-1234-5678"},
		"line ends":            {"123\r\n456\n", "123  456"},
		"tag characters":       {"12\U000e0031\U000e007f3", "123"},
		"Hangul fillers":       {"12\u3164\uffa0\u115f3", "123"},
		"combining joiner":     {"12\u034f3", "123"},
		"byte order mark":      {"\ufeff123", "123"},
		"nothing to see":       {" \u00a0\u200b\u2060\ufe0f\u3164\u2800\t", ""},
		"superscripts stay":    {"12³", "12³"},
		"circled digits stay":  {"①②", "①②"},
		"an ellipsis stays":    {"12…", "12…"},
		"not UTF-8":            {"12\xff3", "12\ufffd3"},
		"letters and accents":  {"Zoë", "Zoë"},
		"spaces within remain": {" 1  2 ", "1  2"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := textclean.Clean(tt.text); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
			if got, want := textclean.Blank(tt.text), tt.want == ""; got != want {
				t.Errorf("blank: got %v, want %v", got, want)
			}
		})
	}
}

// What is clean stays as it is, nothing invisible is left, and nothing panics.
func FuzzClean(f *testing.F) {
	f.Add("\u202a+49 151 12345678\u202c")
	f.Add("१२३\xff")
	f.Fuzz(func(t *testing.T, text string) {
		got := textclean.Clean(text)
		if again := textclean.Clean(got); again != got {
			t.Errorf("%q became %q, and then %q", text, got, again)
		}
		for _, r := range got {
			if r != ' ' && unicode.In(r, unicode.Cc, unicode.Cf, unicode.Z, unicode.Variation_Selector) {
				t.Errorf("%q has %U", got, r)
			}
			if unicode.Is(unicode.Nd, r) && r > '9' {
				t.Errorf("%q has the digit %U", got, r)
			}
		}
	})
}

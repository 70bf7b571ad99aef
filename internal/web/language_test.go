package web_test

import (
	"strings"
	"testing"

	"github.com/holdline/holdline/internal/web"
)

func TestLanguagesThatSomebodyReads(t *testing.T) {
	for name, tt := range map[string]struct {
		sources []string
		want    string
	}{
		"nothing":                  {nil, ""},
		"nothing known":            {[]string{"", ""}, ""},
		"browser":                  {[]string{"", "de-CH,de;q=0.9,en;q=0.8"}, "de-CH,de,en"},
		"weights, not order":       {[]string{"en;q=0.5, fr;q=0.9 , si"}, "si,fr,en"},
		"trait before browser":     {[]string{"ta", "en-US,en;q=0.9"}, "ta,en-US,en"},
		"said twice":               {[]string{"de", "de-DE,de;q=0.9,de;q=0.8"}, "de,de-DE"},
		"POSIX locale":             {[]string{"de_AT.UTF-8@euro"}, "de-AT"},
		"underscores":              {[]string{"pt_BR"}, "pt-BR"},
		"three letters":            {[]string{"deu"}, "de"},
		"script":                   {[]string{"zh-hant-tw"}, "zh-Hant-TW"},
		"variants and extensions":  {[]string{"de-AT-1996-u-co-phonebk-x-me"}, "de-AT"},
		"unacceptable":             {[]string{"en;q=0,de;q=0.0,fr;q=x,it;q=NaN"}, ""},
		"anything":                 {[]string{"*"}, ""},
		"no language":              {[]string{"C", "POSIX", "und", "x-private"}, ""},
		"nonsense among the rest":  {[]string{"<script>,;;,de-,-,fr"}, "fr"},
		"header of another's name": {[]string{"de\r\nSet-Cookie: a=b"}, ""},
		"very long":                {[]string{strings.Repeat("de-", 100000)}, ""},
		"very many":                {[]string{strings.Repeat("en-US,", 100000), "fr"}, "en-US,fr"},
		"bounded":                  {[]string{"aa,ab,af,ak,am,an,ar,as,av,ay,az,ba,be,bg,bh,bi,bm,bn,bo,br", "de,fr"}, "aa,ab,af,ak,am,an,ar,as,av,ay,az,ba,be,bg,bh,bi,bm,bn,bo,br,de"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := web.PreferredLanguage(tt.sources...); got != tt.want || len(got) > 64 {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func FuzzPreferredLanguage(f *testing.F) {
	f.Add("de_AT.UTF-8", "en-US,en;q=0.9,*;q=0.1")
	f.Fuzz(func(t *testing.T, locale, header string) {
		got := web.PreferredLanguage(locale, header)
		if len(got) > 64 || web.PreferredLanguage(got) != got {
			t.Errorf("got %q, and from that %q", got, web.PreferredLanguage(got))
		}
	})
}

package database_test

import (
	"testing"

	"github.com/holdline/holdline/persistence/database"
)

func TestTextFromOutsideIsMadeToFit(t *testing.T) {
	for name, tt := range map[string]struct {
		text string
		most int
		want string
	}{
		"as it is":           {"übung", 5, "übung"},
		"too long":           {"übung", 2, "üb"},
		"no UTF-8":           {"a\xffb", 9, "a\uFFFDb"},
		"NUL":                {"a\x00b", 9, "a\uFFFDb"},
		"nothing":            {"", 5, ""},
		"longer by mending":  {"\xff\x00\xff", 2, "\uFFFD\uFFFD"},
		"beyond the BMP":     {"😀😀", 1, "😀"},
		"exactly as long as": {"😀😀", 2, "😀😀"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := database.Clip(tt.text, tt.most); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

package database

import (
	"strings"
	"unicode/utf8"
)

// Clip makes a text from outside fit its column. Not every database takes NUL.
func Clip(text string, runes int) string {
	text = strings.ReplaceAll(strings.ToValidUTF8(text, "�"), "\x00", "�")
	if utf8.RuneCountInString(text) > runes {
		return string([]rune(text)[:runes])
	}
	return text
}

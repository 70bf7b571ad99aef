// Package segment counts the messages that a text takes, and is billed for, by its
// characters: GSM-7 or UCS-2.
package segment

import (
	"slices"
	"strings"
	"unicode/utf16"
)

// Encoding is how a text's characters travel.
type Encoding string

// The encodings of 3GPP TS 23.038 (once GSM 03.38). A text of several messages
// loses the room of a header in each (TS 23.040, section 9.2.3.24.1).
const (
	GSM7 Encoding = "GSM-7" // 160 septets in one text, 153 in each of several
	UCS2 Encoding = "UCS-2" // 70 UTF-16 units, or 67
)

// The default alphabet (TS 23.038, section 6.2.1) in its order, and its extension
// (6.2.1.1): characters that cost two septets. The national tables are left out,
// because a sender cannot know whether the phone has them.
const (
	gsmBasic = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?" +
		"¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
	gsmExtension = "\f^{}\\[~]|€"
)

// room returns how many septets or units one message has, and each of several.
func (e Encoding) room() (alone, joined int) {
	if e == GSM7 {
		return 160, 153
	}
	return 70, 67
}

// Measured is how much a text takes.
type Measured struct {
	Encoding Encoding
	Units    int // its length: septets of GSM-7, or UTF-16 units
	Messages int // what a provider bills for
}

// Measure returns how a text travels, and in how many messages.
func Measure(text string) Measured {
	encoding, sizes := characters(text)
	alone, joined := encoding.room()
	m := Measured{Encoding: encoding, Messages: 1}
	room := joined
	for _, size := range sizes {
		m.Units += size
		if size > room { // no character is torn apart
			m.Messages, room = m.Messages+1, joined
		}
		room -= size
	}
	if m.Units <= alone {
		m.Messages = 1
	}
	return m
}

// Capacity returns how many septets or units some messages hold.
func (e Encoding) Capacity(messages int) int {
	alone, joined := e.room()
	if messages == 1 {
		return alone
	}
	return messages * joined
}

// IsGSM7 reports whether a character is in the default alphabet or its extension.
func IsGSM7(r rune) bool { return septets(r) > 0 }

// characters returns the size of each, in septets if the alphabet has them all,
// in UTF-16 units otherwise.
func characters(text string) (Encoding, []int) {
	sizes := make([]int, 0, len(text))
	for _, r := range text {
		sizes = append(sizes, septets(r))
	}
	if !slices.Contains(sizes, 0) {
		return GSM7, sizes
	}
	sizes = sizes[:0]
	for _, r := range text {
		sizes = append(sizes, max(1, utf16.RuneLen(r)))
	}
	return UCS2, sizes
}

// septets returns a character's size in GSM-7, 0 if it has none.
func septets(r rune) int {
	switch {
	case strings.ContainsRune(gsmBasic, r):
		return 1
	case strings.ContainsRune(gsmExtension, r):
		return 2
	default:
		return 0
	}
}

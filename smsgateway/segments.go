package smsgateway

import (
	"fmt"
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

// Segments returns how a text travels, and in how many messages: what a
// provider bills for.
func Segments(text string) (Encoding, int) {
	m := measure(text)
	return m.encoding, m.messages
}

// measured is how much a text takes.
type measured struct {
	encoding Encoding
	size     int // in septets or UTF-16 units
	messages int
}

func measure(text string) measured {
	encoding, sizes := characters(text)
	alone, joined := encoding.room()
	m := measured{encoding: encoding, messages: 1}
	room := joined
	for _, size := range sizes {
		m.size += size
		if size > room { // no character is torn apart
			m.messages, room = m.messages+1, joined
		}
		room -= size
	}
	if m.size <= alone {
		m.messages = 1
	}
	return m
}

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

// excess says that a text does not fit, by how much, and what would help.
type excess struct {
	text string
	measured
	most int    // messages that it may take
	line string // its last one, which is no part of the template; may be blank
}

// over returns by how many characters the text is too long, at least 1: a pair
// that may not be torn can leave a message short of full.
func (e excess) over() int { return max(1, e.size-e.encoding.fits(e.most)) }

// fits returns how much some messages hold.
func (e Encoding) fits(messages int) int {
	alone, joined := e.room()
	if messages == 1 {
		return alone
	}
	return messages * joined
}

// culprits is how many characters outside GSM-7 are worth naming. A text with
// more of them is not meant to be GSM-7.
const culprits = 3

func (e excess) Error() string {
	fault := fmt.Sprintf("is too long by %d: %d characters in %s, where %d fit", e.over(), e.size, e.encoding, e.encoding.fits(e.most))
	if e.line != "" {
		fault += fmt.Sprintf(" and the last line takes %d", len(e.line))
	}
	var wide []string
	for _, r := range e.text {
		if name := fmt.Sprintf("%#U", r); septets(r) == 0 && !slices.Contains(wide, name) {
			wide = append(wide, name)
		}
	}
	if len(wide) == 0 || len(wide) > culprits {
		return fault
	}
	return fmt.Sprintf("%s; without %s it would be %s, where %d fit", fault, strings.Join(wide, ", "), GSM7, GSM7.fits(e.most))
}

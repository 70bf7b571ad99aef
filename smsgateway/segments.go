package smsgateway

import (
	"strings"
	"unicode/utf16"
)

// Encoding is how a text's characters travel.
type Encoding string

// The encodings of 3GPP TS 23.038 (once GSM 03.38).
const (
	GSM7 Encoding = "GSM-7" // 160 septets in one text, 153 in each of several
	UCS2 Encoding = "UCS-2" // 70 UTF-16 units, or 67
)

// The default alphabet, and its extension: characters that cost two septets.
const (
	gsmBasic = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?" +
		"¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
	gsmExtension = "\f^{}\\[~]|€"
)

// Segments returns how a text travels, and in how many messages: what a
// provider bills for.
func Segments(text string) (Encoding, int) {
	if sizes, ok := septets(text); ok {
		return GSM7, pack(sizes, 160, 153)
	}
	var sizes []int
	for _, r := range text {
		sizes = append(sizes, max(1, utf16.RuneLen(r)))
	}
	return UCS2, pack(sizes, 70, 67)
}

// septets returns the size of each character, if the alphabet has them all.
func septets(text string) ([]int, bool) {
	var sizes []int
	for _, r := range text {
		switch {
		case strings.ContainsRune(gsmBasic, r):
			sizes = append(sizes, 1)
		case strings.ContainsRune(gsmExtension, r):
			sizes = append(sizes, 2)
		default:
			return nil, false
		}
	}
	return sizes, true
}

// pack fills messages with characters, none of which may be torn apart.
func pack(sizes []int, alone, joined int) int {
	total := 0
	for _, size := range sizes {
		total += size
	}
	if total <= alone {
		return 1
	}
	count, room := 1, joined
	for _, size := range sizes {
		if size > room {
			count, room = count+1, joined
		}
		room -= size
	}
	return count
}

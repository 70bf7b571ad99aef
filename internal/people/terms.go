package people

import (
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/runes"
	"golang.org/x/text/transform"
	"golang.org/x/text/unicode/norm"

	"github.com/holdline/holdline/internal/phone"
	"github.com/holdline/holdline/internal/textclean"
)

// A term begins with what kind it is.
const (
	wordTerm   = "w"
	pieceTerm  = "d" // four digits in a row
	numberTerm = "n" // the whole number
	maskTerm   = "m" // the number as it is shown
)

const (
	// TermWidth is the length of the longest term, in bytes.
	TermWidth = 64
	// pieceDigits is how long a piece of a number is, and the shortest that is
	// looked for: fewer digits fit too many.
	pieceDigits = 4
	// pieceHash and numberHash are how many bytes are kept of a hash. There are ten
	// thousand pieces and, of numbers, as many as people: 96 bits tell those apart.
	pieceHash  = 6
	numberHash = 12
	// mostTerms bounds what one person is found by.
	mostTerms = 400
)

// Keys hash numbers: the first those that are kept now, the others those that were
// kept before a secret was replaced. There is at least one.
type Keys [][]byte

// NewKeys derives keys from secrets, the one in use first.
func NewKeys(secrets []string) (Keys, error) {
	keys := make(Keys, len(secrets))
	for i, secret := range secrets {
		key, err := hkdf.Key(sha256.New, []byte(secret), nil, "numbers that people are found by", sha256.Size)
		if err != nil {
			return nil, fmt.Errorf("derive a key: %w", err)
		}
		keys[i] = key
	}
	return keys, nil
}

// ID names the key in use, and gives nothing of it away.
func (k Keys) ID() string { return hashed(k[0], "id", "", pieceHash) }

// hashed is a keyed hash of a text of some kind.
func hashed(key []byte, kind, text string, size int) string {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(kind + " " + text))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil)[:size])
}

// each hashes a text under every key, the one in use first.
func (k Keys) each(kind, text string, size int) []string {
	terms := make([]string, len(k))
	for i, key := range k {
		terms[i] = kind + hashed(key, kind, text, size)
	}
	return terms
}

// Terms lists what a person is found by, sorted, each once.
func (k Keys) Terms(p Profile, numbers []phone.Number) []string {
	var terms []string
	for _, text := range slices.Concat(p.Names, p.UserNames, p.Emails) {
		for _, word := range words(text) {
			terms = append(terms, wordTerm+word)
		}
	}
	for _, text := range p.Emails { // a part of the address may be all that is known
		local, _, _ := strings.Cut(text, "@")
		for _, word := range strings.FieldsFunc(local, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }) {
			terms = append(terms, wordTerm+fold(word))
		}
	}
	for _, number := range numbers {
		if number.IsZero() {
			continue
		}
		terms = append(terms, k.each(numberTerm, number.Key(), numberHash)[0], clip(maskTerm+number.String()))
		for _, piece := range pieces(digitsOf(number.Key())) {
			terms = append(terms, k.each(pieceTerm, piece, pieceHash)[0])
		}
	}
	slices.Sort(terms)
	terms = slices.Compact(terms)
	return terms[:min(len(terms), mostTerms)]
}

// words are a text's words, as they are compared.
func words(text string) []string {
	var all []string
	for word := range strings.FieldsSeq(textclean.Clean(text)) {
		word = strings.TrimFunc(word, func(r rune) bool { return unicode.IsPunct(r) && r != '@' })
		if word != "" {
			all = append(all, fold(word))
		}
	}
	return all
}

// fold writes a word in lower case and without accents, as Unicode compares caseless
// (The Unicode Standard, section 3.13), and as long as a term may be.
func fold(word string) string {
	plain, _, err := transform.String(transform.Chain(norm.NFKD, runes.Remove(runes.In(unicode.Mn)), cases.Fold(), norm.NFC), word)
	if err != nil {
		plain = strings.ToLower(word)
	}
	return clip(wordTerm + plain)[len(wordTerm):]
}

// clip makes a term fit, at the end of a character.
func clip(term string) string {
	for len(term) > TermWidth {
		_, size := utf8.DecodeLastRuneInString(term)
		term = term[:len(term)-size]
	}
	return term
}

// digitsOf are the digits of a number.
func digitsOf(number string) string {
	return strings.Map(func(r rune) rune {
		if r < '0' || r > '9' {
			return -1
		}
		return r
	}, number)
}

// pieces are all runs of digits that are hashed.
func pieces(digits string) []string {
	var all []string
	for i := range max(0, len(digits)-pieceDigits+1) {
		all = append(all, digits[i:i+pieceDigits])
	}
	return all
}

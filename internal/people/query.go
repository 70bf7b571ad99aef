package people

import (
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/holdline/holdline/internal/phone"
	"github.com/holdline/holdline/internal/problem"
	"github.com/holdline/holdline/internal/textclean"
)

// ErrTooLittle says that what was typed would find strangers alike.
var ErrTooLittle = problem.New(problem.Invalid, "HLD-40041", "Enter at least four digits of a number, or two letters of a name.", "people: too little to search for")

// Match is a condition that a person meets by one of their terms.
type Match struct {
	// Terms are alternatives.
	Terms []string
	// Prefix says that a term need only begin so.
	Prefix bool
}

// Query is what is looked for. A person has to meet all of Matches or, if nobody
// does, all of Otherwise.
type Query struct {
	Matches, Otherwise []Match
	// IdentityID is somebody's id, which needs no search; blank for none.
	IdentityID string
	// Identifier is what somebody may sign in with, as it was typed; blank for
	// what cannot be that.
	Identifier string
}

const (
	mostWords    = 6
	shortestWord = 2
)

// identityID is an identity's id, with its realm before it where there is one.
var identityID = regexp.MustCompile(`^([A-Za-z0-9._-]+/)?[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)

// Read reads what somebody typed: a number as it is dialled, masked as it is shown,
// or a piece of one; words of names, user names and e-mail addresses, of which the
// beginning is enough; or an identity's id. Errors: ErrTooLittle.
func (k Keys) Read(plan phone.Parser, typed string) (Query, error) {
	typed = textclean.Clean(typed)
	digits := digitsOf(typed)
	switch {
	case identityID.MatchString(typed):
		return Query{IdentityID: typed}, nil
	case strings.Contains(typed, "*"):
		shown := phone.FromStore(typed).Dialled()
		if len(strings.Trim(shown, "*+")) < 2 { // strangers alike
			return Query{}, ErrTooLittle
		}
		return Query{Matches: []Match{{Terms: []string{clip(maskTerm + shown)}}}}, nil
	case digits != "" && strings.Trim(typed, "+0123456789 -./()") == "":
		if len(digits) < pieceDigits {
			return Query{}, ErrTooLittle
		}
		return k.readNumber(plan, typed, digits), nil
	}
	q := Query{Identifier: typed}
	for _, word := range words(typed) {
		if utf8.RuneCountInString(word) < shortestWord && !unicode.Is(unicode.Ideographic, []rune(word)[0]) {
			continue // an initial narrows nothing
		}
		q.Matches = append(q.Matches, Match{Terms: []string{wordTerm + word}, Prefix: true})
	}
	if len(q.Matches) == 0 {
		return Query{}, ErrTooLittle
	}
	q.Matches = q.Matches[:min(len(q.Matches), mostWords)]
	return q, nil
}

// readNumber looks for the whole number if it is one, and then for a piece of one. In a piece
// the zeros before it may be those that are dialled within a country.
func (k Keys) readNumber(plan phone.Parser, typed, digits string) Query {
	piece := strings.TrimLeft(digits, "0")
	if len(piece) < pieceDigits {
		piece = digits
	}
	q := Query{Identifier: typed, Otherwise: k.piecesOf(piece)}
	if number, err := phone.Parse(plan, typed); err == nil {
		q.Matches = []Match{{Terms: k.each(numberTerm, number.Key(), numberHash)}}
		return q
	}
	q.Matches = k.piecesOf(digits)
	if piece == digits {
		q.Otherwise = nil
	}
	return q
}

// piecesOf are the conditions for digits in a row, the last first: numbers begin alike.
func (k Keys) piecesOf(digits string) []Match {
	var all []Match
	for _, piece := range slices.Backward(pieces(digits)) {
		all = append(all, Match{Terms: k.each(pieceTerm, piece, pieceHash)})
	}
	return all
}

// ByNumber is the condition for everybody who has, had or wanted a number.
func (k Keys) ByNumber(number phone.Number) []Match {
	return []Match{{Terms: k.each(numberTerm, number.Key(), numberHash)}}
}

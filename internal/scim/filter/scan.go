package filter

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/holdline/holdline/internal/scim"
)

// scanner reads what the grammar's parser cannot: strings with their escapes,
// attributes that begin with a schema's URN, and value paths of more than two
// terms. It replaces them by their numbers, and bounds depth and terms before
// anything recurses. On the way it finds where a filter is wrong.
type scanner struct {
	text   string
	limits Limits
	at     int // in bytes
	depth  int
	terms  int
	inside bool // between a value path's brackets
}

// fault says where, in bytes, and why.
type fault struct {
	at     int
	reason string
}

func (f *fault) Error() string { return f.reason }

func (s *scanner) wrong(at int, reason string, args ...any) error {
	return &fault{at, fmt.Sprintf(reason, args...)}
}

const maskedAttribute = "a"

// attributePath is what may stand for an attribute: a name, a sub-attribute, and
// a URN before them.
var attributePath = regexp.MustCompile(`^\$?[A-Za-z][-\w]*([.:]\$?[-\w]+)*$`)

// operators are those of RFC 7644, table 3, that take a value.
var operators = map[string]bool{
	"eq": true, "ne": true, "co": true, "sw": true, "ew": true, "gt": true, "ge": true, "lt": true, "le": true,
}

// filter reads up to the end, or up to the bracket that ends a value path.
func (s *scanner) filter(end byte) (expression, error) {
	var masked strings.Builder
	var terms []expression
	var texts []string
	open := 0
	for operand := true; ; {
		at := s.skip()
		next := s.peek()
		switch {
		case operand && next == '(':
			s.at++
			open++
			masked.WriteString("(")
			if err := s.deeper(at); err != nil {
				return nil, err
			}
		case operand && s.not():
			masked.WriteString("not ")
		case operand:
			term, rest, err := s.term(&texts)
			if err != nil {
				return nil, err
			}
			fmt.Fprintf(&masked, "%s%d %s", maskedAttribute, len(terms), rest)
			terms = append(terms, term)
			operand = false
		case next == ')' && open > 0:
			s.at++
			open--
			s.depth--
			masked.WriteString(")")
		case next == end && open == 0: // the end of the text is 0
			s.at += min(len(s.text)-s.at, 1)
			return read(masked.String(), terms, texts)
		case next == 0:
			return nil, s.wrong(at, "a bracket is not closed")
		default:
			word := strings.ToLower(s.word())
			if word != "and" && word != "or" {
				return nil, s.wrong(at, "and, or or the end is expected")
			}
			masked.WriteString(" " + word + " ")
			operand = true
		}
	}
}

// term reads one comparison or value path, without its place among others.
func (s *scanner) term(texts *[]string) (term expression, rest string, err error) {
	at := s.at
	path := s.word()
	if path == "" {
		return nil, "", s.wrong(at, "an attribute is expected")
	}
	if !attributePath.MatchString(path) {
		return nil, "", s.wrong(at, "this is no attribute")
	}
	if s.terms++; s.terms > s.limits.Terms {
		return nil, "", s.wrong(at, "the filter has more than %d comparisons", s.limits.Terms)
	}
	position := len([]rune(s.text[:at])) + 1
	if opening := s.skip(); s.peek() == '[' {
		selected, err := s.selected(opening)
		return selection{path, position, selected}, "pr", err
	}
	rest, err = s.compared(texts)
	return comparison{path: path, at: position}, rest, err
}

// selected reads what stands in a value path's brackets.
func (s *scanner) selected(at int) (expression, error) {
	if s.inside {
		return nil, s.wrong(at, "a value path is within another")
	}
	if err := s.deeper(at); err != nil {
		return nil, err
	}
	s.takeIn()
	s.at++
	s.inside = true
	inner, err := s.filter(']')
	s.inside = false
	s.depth--
	if next := s.peek(); err == nil && next != 0 && next != ' ' && next != ')' {
		err = s.wrong(s.at, "a value path ends here")
	}
	return inner, err
}

// trailing is a comparison of a sub-attribute behind a value path.
var trailing = regexp.MustCompile(`^\.[A-Za-z$][A-Za-z0-9_$-]* +(?i:pr\b|[a-z]{2} +(?:"(?:[^"\\]|\\.)*"|[^ ()\[\]"]+))`)

// takeIn moves the comparison that Entra ID writes behind a value path, as in
// emails[type eq "work"].value eq "a", into the brackets, where RFC 7644 has it.
func (s *scanner) takeIn() {
	rest := s.text[s.at:]
	quoted := false
	for i := 0; i < len(rest); i++ {
		switch {
		case quoted && rest[i] == '\\':
			i++
		case rest[i] == '"':
			quoted = !quoted
		case rest[i] == ']' && !quoted:
			if behind := trailing.FindString(rest[i+1:]); behind != "" {
				s.text = s.text[:s.at] + "[(" + rest[1:i] + ") and " + behind[1:] + "]" + rest[i+1+len(behind):]
			}
			return
		}
	}
}

// compared reads an operator and its value.
func (s *scanner) compared(texts *[]string) (string, error) {
	at := s.at
	operator := strings.ToLower(s.word())
	if operator == "pr" {
		return operator, nil
	}
	if !operators[operator] {
		return "", s.wrong(at, "an operator is expected")
	}
	at = s.skip()
	var text string
	if s.peek() == '"' {
		var err error
		if text, err = s.literal(); err != nil {
			return "", err
		}
	} else {
		text = s.word()
		switch value := strings.ToLower(text); {
		case json.Valid([]byte(value)):
			return operator + " " + value, nil
		case text == "" || s.limits.Mode == scim.Strict || strings.ContainsAny(text[:1], "'`") || typographic(text):
			return "", s.wrong(at, "a string in quotes, a number, true, false or null is expected")
		}
	}
	*texts = append(*texts, text)
	return fmt.Sprintf(`%s "%d"`, operator, len(*texts)-1), nil
}

// typographic reports whether a text begins with a quotation mark as word processors
// write them. It would be part of the text, and match nothing.
func typographic(text string) bool {
	first, _ := utf8.DecodeRuneInString(text)
	return unicode.In(first, unicode.Pi, unicode.Pf, unicode.Ps)
}

// literal reads a string as JSON writes it.
func (s *scanner) literal() (string, error) {
	start := s.at
	for s.at++; s.at < len(s.text); s.at++ {
		switch s.text[s.at] {
		case '\\':
			s.at++
		case '"':
			s.at++
			var text string
			if err := json.Unmarshal([]byte(s.text[start:s.at]), &text); err != nil {
				return "", s.wrong(start, "the string is not written as JSON")
			}
			return text, nil
		}
	}
	return "", s.wrong(start, "the string has no end")
}

// not reads the word before a bracket.
func (s *scanner) not() bool {
	before := s.at
	if strings.EqualFold(s.word(), "not") {
		if s.skip(); s.peek() == '(' {
			return true
		}
	}
	s.at = before
	return false
}

func (s *scanner) deeper(at int) error {
	if s.depth++; s.depth > s.limits.Depth {
		return s.wrong(at, "the filter is nested more than %d deep", s.limits.Depth)
	}
	return nil
}

// skip passes spaces and returns where it is.
func (s *scanner) skip() int {
	for s.peek() == ' ' {
		s.at++
	}
	return s.at
}

// peek returns the next byte, 0 at the end.
func (s *scanner) peek() byte {
	if s.at < len(s.text) {
		return s.text[s.at]
	}
	return 0
}

// word reads up to a space, a quote or a bracket.
func (s *scanner) word() string {
	rest := s.text[s.at:]
	if end := strings.IndexAny(rest, ` "()[]`); end >= 0 {
		rest = rest[:end]
	}
	s.at += len(rest)
	return rest
}

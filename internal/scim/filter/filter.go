package filter

import (
	"cmp"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	grammar "github.com/scim2/filter-parser/v2"

	"github.com/holdline/holdline/internal/scim"
)

// Limits bound what [Parse] reads, because filters come from outside. What is
// zero is the default.
type Limits struct {
	Length int // bytes; 4096
	Depth  int // brackets within brackets; 16
	Terms  int // comparisons; 100
	// Mode says whether a text may stand without quotes, as in userName eq bjensen.
	// RFC 7644, section 3.4.2.2, has values as JSON writes them; WSO2 Identity Server
	// and Microsoft's reference code take both, and their clients send both.
	Mode scim.Mode
}

const (
	defaultLength = 4096
	defaultDepth  = 16
	defaultTerms  = 100
)

func (l Limits) filled() Limits {
	return Limits{
		Length: cmp.Or(l.Length, defaultLength), Depth: cmp.Or(l.Depth, defaultDepth), Terms: cmp.Or(l.Terms, defaultTerms),
		Mode: l.Mode,
	}
}

// Filter is a filter that was read. It is not changed by its use.
type Filter struct{ root expression }

// expression is one of logical, negation, comparison and selection.
type expression interface{ expression() }

// logical is a conjunction or a disjunction of two or more parts.
type logical struct {
	or    bool
	parts []expression
}

type negation struct{ of expression }

// comparison compares an attribute with a string, a bool, a json.Number or nil.
type comparison struct {
	path     string // as it was written
	at       int    // where, in characters from 1
	operator grammar.CompareOperator
	value    any
}

// selection is a value path: some element of an attribute matches a filter.
type selection struct {
	path string
	at   int
	of   expression
}

func (logical) expression()    {}
func (negation) expression()   {}
func (comparison) expression() {}
func (selection) expression()  {}

// Parse reads a filter, or the filter between a value path's brackets. Errors are
// [*scim.Error] with invalidFilter; they say at which character, counted from 1.
func Parse(text string, limits Limits) (*Filter, error) {
	limits = limits.filled()
	if len(text) > limits.Length {
		return nil, scim.Bad(scim.InvalidFilter, fmt.Sprintf("the filter is longer than %d bytes", limits.Length))
	}
	if !utf8.ValidString(text) || strings.ContainsRune(text, 0) {
		return nil, scim.Bad(scim.InvalidFilter, "the filter is not UTF-8 text")
	}
	s := &scanner{text: text, limits: limits}
	root, err := s.filter(0)
	if fault := (*fault)(nil); errors.As(err, &fault) {
		at := utf8.RuneCountInString(s.text[:min(fault.at, len(s.text))]) + 1
		return nil, scim.Bad(scim.InvalidFilter, fmt.Sprintf("the filter, at character %d: %s", at, fault.reason))
	}
	if err != nil {
		return nil, scim.Bad(scim.InvalidFilter, "the filter cannot be read")
	}
	return &Filter{root}, nil
}

// read lets the grammar's parser read a filter whose attributes and strings were
// replaced by their numbers. It recovers, because the parser knows no bounds and
// its input comes from outside.
func read(masked string, terms []expression, texts []string) (root expression, err error) {
	defer func() {
		if fault := recover(); fault != nil {
			root, err = nil, errors.New("the parser failed")
		}
	}()
	parsed, err := grammar.ParseFilterNumber([]byte(masked))
	if err != nil {
		return nil, err
	}
	return unmask(parsed, terms, texts)
}

func unmask(parsed grammar.Expression, terms []expression, texts []string) (expression, error) {
	switch parsed := parsed.(type) {
	case *grammar.LogicalExpression:
		left, err := unmask(parsed.Left, terms, texts)
		if err != nil {
			return nil, err
		}
		right, err := unmask(parsed.Right, terms, texts)
		if err != nil {
			return nil, err
		}
		return join(parsed.Operator == grammar.OR, left, right), nil
	case *grammar.NotExpression:
		of, err := unmask(parsed.Expression, terms, texts)
		return negation{of}, err
	case *grammar.AttributeExpression:
		return unmaskTerm(parsed, terms, texts)
	default:
		return nil, fmt.Errorf("a %T is nothing that was written", parsed)
	}
}

// join flattens what a grammar of two sides has nested.
func join(or bool, left, right expression) expression {
	parts := []expression{left}
	if l, ok := left.(logical); ok && l.or == or {
		parts = l.parts
	}
	return logical{or, append(parts, right)}
}

func unmaskTerm(parsed *grammar.AttributeExpression, terms []expression, texts []string) (expression, error) {
	n, err := strconv.Atoi(strings.TrimPrefix(parsed.AttributePath.AttributeName, maskedAttribute))
	if err != nil {
		return nil, err
	}
	term, ok := terms[n].(comparison)
	if !ok {
		return terms[n], nil
	}
	term.operator, term.value = parsed.Operator, parsed.CompareValue
	if masked, ok := term.value.(string); ok {
		n, err := strconv.Atoi(masked)
		if err != nil {
			return nil, err
		}
		term.value = texts[n]
	}
	return term, nil
}

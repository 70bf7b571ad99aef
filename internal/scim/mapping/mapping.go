// Package mapping turns identities into SCIM documents and back. It knows neither
// HTTP nor Kratos' API.
//
// A rule says which trait keeps an attribute's value. What no trait keeps stands in
// metadata_admin under "scim", as the rest of the document: where a trait's value
// belongs into an element of a list, the rest has the element with a null. So the
// rest of an element, the elements' order, and every attribute without a rule
// survive, and a trait that is changed elsewhere shows in its place.
//
// Several rules may name one trait, such as userName and emails.value where the
// e-mail address is the only name. The first of them that has a value in a document
// writes the trait; where others differ, their values stand in the rest, and where
// one has no value, the rest lists it under "$hidden".
//
// The mobile number is different: its trait is written only as the caller wishes,
// and the rest never has it.
package mapping

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"github.com/holdline/holdline/internal/scim"
)

const (
	restKey   = "scim"    // in metadata_admin
	hiddenKey = "$hidden" // in the rest; no attribute's name begins so
)

// Rule maps an attribute to a trait.
type Rule struct {
	// Key is what faults call the rule: where its configuration is. Blank is Path.
	Key string
	// Path is a SCIM path with one value: userName, name.givenName,
	// emails[type eq "home"].value, or an extension's URN before the name. Of a list
	// without a filter it means the primary element, else the first of the
	// attribute's first type, such as work, else the first. A filter can ask for the
	// type alone.
	Path string
	// Trait is where in the traits: dotted as in name.first, or a JSON pointer as in
	// /name/first.
	Trait string
}

// Options say what the rules do not.
type Options struct {
	Resource    scim.Resource
	MobileTrait string // as in a [Rule]; the rule for the mobile number follows from it
	PendingKey  string // in metadata_public, of the number that is held back
	// Same reports whether two spellings are one mobile number; nil is equality.
	Same func(a, b string) bool
	// Key is what faults call the rules as a whole; blank is mapping.
	Key string
	// MobileKey is what faults call MobileTrait; blank is mobile_trait.
	MobileKey string
}

// RuleError is a mistake in the rules.
type RuleError struct {
	Key  string // of the rule, or of the rules as a whole
	Text string // what to change
}

func (f RuleError) Error() string { return f.Key + ": " + f.Text }

// Mapping is a set of rules that do not contradict each other. It may be used
// concurrently.
type Mapping struct {
	opt   Options
	rules []rule
}

// New reads rules. The error joins a [RuleError] for each mistake.
func New(rules []Rule, opt Options) (*Mapping, error) {
	opt.Key, opt.MobileKey = cmp.Or(opt.Key, "mapping"), cmp.Or(opt.MobileKey, "mobile_trait")
	if opt.Same == nil {
		opt.Same = func(a, b string) bool { return a == b }
	}
	m := &Mapping{opt: opt}
	var faults []error
	mobile := Rule{Key: opt.MobileKey, Path: scim.MobilePath, Trait: opt.MobileTrait}
	for _, given := range append([]Rule{mobile}, rules...) {
		r, err := readRule(opt.Resource, given)
		r.key = cmp.Or(given.Key, given.Path)
		if err == nil {
			err = m.fits(r)
		}
		switch {
		case err != nil:
			faults = append(faults, RuleError{r.key, err.Error()})
		case !r.mobile || len(m.rules) == 0:
			m.rules = append(m.rules, r)
		}
	}
	if faults != nil {
		return nil, errors.Join(faults...)
	}
	return m, nil
}

// fits tells why a rule cannot stand beside the others.
func (m *Mapping) fits(r rule) error {
	for _, other := range m.rules {
		switch {
		case r.mobile && other.mobile && slices.Equal(r.trait, other.trait):
		case r.mobile && other.mobile:
			return fmt.Errorf("%s must name the trait %s here too, or have no rule", scim.MobilePath, other.spelled)
		case r.path == other.path:
			return fmt.Errorf("%s has two rules: remove one", r.path)
		case r.list && other.list && slices.Equal(r.home, other.home) && (r.kind == "") != (other.kind == ""):
			return fmt.Errorf("%s and %s may mean the same element: give both a type", other.path, r.path)
		case slices.Equal(r.trait, other.trait) && (r.mobile || other.mobile):
			return fmt.Errorf("the trait %s keeps the mobile number and nothing else: choose another", r.spelled)
		case slices.Equal(r.trait, other.trait) && r.leaf.Type != other.leaf.Type:
			return fmt.Errorf("%s and %s have different types and cannot share a trait", other.path, r.path)
		case len(r.trait) != len(other.trait) && (under(r.trait, other.trait) || under(other.trait, r.trait)):
			return fmt.Errorf("the trait %s lies within the other or holds it: %s", r.spelled, other.spelled)
		}
	}
	return nil
}

// under reports whether a path is another one or leads on from it.
func under(path, parent []string) bool {
	return len(path) >= len(parent) && slices.Equal(path[:len(parent)], parent)
}

package config

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// faults collects what is wrong. Each fault begins with its key and a colon.
type faults []error

func (f *faults) unless(ok bool, key, complaint string) {
	if !ok {
		*f = append(*f, fmt.Errorf("%s: %s", key, complaint))
	}
}

// atLeast tells text that is missing from text that is too short.
func (f *faults) atLeast(key string, secret Secret, characters int) {
	f.unless(secret != "", key, "is missing")
	f.unless(secret == "" || len(secret) >= characters, key, fmt.Sprintf("has fewer than %d characters", characters))
}

// isURL wants an absolute http or https URL.
func (f *faults) isURL(key, text string) {
	f.unless(text != "", key, "is missing")
	f.unless(text == "" || isURL(text), key, "must be an http or https URL")
}

func (f *faults) oneOf(key, value string, allowed ...string) {
	f.unless(slices.Contains(allowed, value), key, "must be "+strings.Join(allowed, " or "))
}

// unreadError is that of a key whose value could not be had, where the message
// names something else: the variable or the file that it should come from. It is
// that of all keys if key is blank.
type unreadError struct {
	error
	key string
}

func (u unreadError) Unwrap() error { return u.error }

// Each returns the faults that [errors.Join] has put together.
func Each(err error) []error {
	if err == nil {
		return nil
	}
	many, ok := err.(interface{ Unwrap() []error })
	if !ok || errors.Join(many.Unwrap()...).Error() != err.Error() {
		return []error{err}
	}
	var all []error
	for _, one := range many.Unwrap() {
		all = append(all, Each(one)...)
	}
	return all
}

// Join adds later faults to earlier ones, but for those that follow from them:
// faults of the same key, of a part of it or of what it is a part of.
func Join(earlier, later error) error {
	all := Each(earlier)
	known := make([]string, len(all))
	for i, fault := range all {
		known[i] = keyOf(fault)
	}
	for _, fault := range Each(later) {
		key := keyOf(fault)
		if !slices.ContainsFunc(known, func(other string) bool { return within(key, other) || within(other, key) }) {
			all = append(all, fault)
		}
	}
	return errors.Join(all...)
}

func keyOf(fault error) string {
	if unread, ok := errors.AsType[unreadError](fault); ok {
		return unread.key
	}
	key, _, _ := strings.Cut(fault.Error(), ": ")
	return key
}

// within reports whether a key is another one or a part of it.
func within(key, whole string) bool {
	rest, ok := strings.CutPrefix(key, whole)
	return ok && (whole == "" || rest == "" || rest[0] == '.' || rest[0] == '[')
}

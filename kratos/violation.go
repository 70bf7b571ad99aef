package kratos

import (
	"net/http"
	"regexp"
	"slices"
	"strings"

	"github.com/holdline/holdline/internal/claim"
	"github.com/holdline/holdline/internal/scim"
)

// What Kratos' admin API means by a status when a whole identity is read or
// written (measured: docs/kratos.md, I).
var recordRefusals = refusals{
	http.StatusBadRequest: explained(badRequest),
	http.StatusNotFound:   claim.ErrNoIdentity,
	http.StatusConflict:   scim.ErrTaken,
	// A password above bcrypt's 72 bytes is an internal error to Kratos.
	http.StatusInternalServerError: explained(badPassword),
}

// explained is a meaning that depends on what Kratos says. What it returns
// repeats no value.
type explained func(reason, msg string) error

func (explained) Error() string { return "refused" }

// badRequest tells a patch that does not fit from an identity that its schema
// refuses.
func badRequest(reason, _ string) error {
	if strings.Contains(reason, "applying the JSON patch") {
		return claim.ErrChangedElsewhere
	}
	return &scim.ViolationError{Pointers: pointers(reason)}
}

const passwordPointer = "#/password"

func badPassword(_, msg string) error {
	if strings.HasPrefix(msg, "I["+passwordPointer+"]") {
		return &scim.ViolationError{Pointers: []string{passwordPointer}}
	}
	return claim.ErrIdentitiesUnavailable
}

var (
	// violation is a line of a schema's complaint: an instance's pointer, the
	// schema's, and what is wrong, which quotes values.
	violation = regexp.MustCompile(`(?m)^ *I\[(#[^\]\n]*)\] S\[[^\]\n]*\] (.*)$`)
	// heading is what a line says that only leads to others.
	heading = regexp.MustCompile(`^(validation failed|doesn't validate with .*)$`)
	missing = regexp.MustCompile(`"([^"]*)"`)
	// harmless are pointers that name attributes as schemas do.
	harmless = regexp.MustCompile(`^#(/[A-Za-z0-9_.~$-]{1,64})*$`)
)

// pointers keeps of a complaint where it applies.
func pointers(complaint string) []string {
	var found []string
	for _, line := range violation.FindAllStringSubmatch(complaint, -1) {
		at, what := line[1], line[2]
		if names, lacks := strings.CutPrefix(what, "missing properties: "); lacks {
			for _, name := range missing.FindAllStringSubmatch(names, -1) { // the schema's own names
				found = append(found, at+"/"+name[1])
			}
		} else if !heading.MatchString(what) {
			found = append(found, at)
		}
	}
	slices.Sort(found)
	return slices.DeleteFunc(slices.Compact(found), func(p string) bool { return !harmless.MatchString(p) })
}

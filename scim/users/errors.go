package users

import (
	"errors"
	"net/http"
	"strings"

	"github.com/holdline/holdline/claim"
	"github.com/holdline/holdline/scim"
)

// explain puts what Kratos refused into SCIM's terms. What passes, and what the
// claims refused, stays as it is.
func explain(err error) error {
	var violation *scim.ViolationError
	switch {
	case errors.Is(err, scim.ErrTaken):
		return &scim.Error{
			Status: http.StatusConflict, ScimType: scim.Uniquity,
			Detail: "another user has one of the userName, e-mail addresses or numbers",
		}
	case errors.As(err, &violation):
		detail := "the identity schema refuses a value"
		if len(violation.Pointers) > 0 {
			detail += " at " + strings.Join(violation.Pointers, ", ")
		}
		return scim.Bad(scim.InvalidValue, detail)
	default:
		return err
	}
}

// changedMeanwhile tells whether a change did not fit what somebody had written
// through Kratos since it was read.
func changedMeanwhile(err error) bool { return errors.Is(err, claim.ErrChangedElsewhere) }

package scimbridge

import (
	"errors"
	"net/http"
	"strconv"

	"github.com/gin-gonic/gin"

	"github.com/holdline/holdline/internal/claim"
	"github.com/holdline/holdline/internal/phone"
	"github.com/holdline/holdline/internal/scim"
	"github.com/holdline/holdline/internal/scim/users"
	"github.com/holdline/holdline/internal/web"
)

// errorSchema is that of the message that tells an error.
const errorSchema = "urn:ietf:params:scim:api:messages:2.0:Error"

// errorBody is the message of RFC 7644, section 3.12.
type errorBody struct {
	Schemas  []string     `json:"schemas"`
	Status   string       `json:"status"`
	ScimType scim.Keyword `json:"scimType,omitempty"`
	Detail   string       `json:"detail"`
}

// keywords are SCIM's words for what others refuse, where it has any, and the
// attribute that is refused.
var keywords = []struct {
	err       error
	keyword   scim.Keyword
	attribute string
}{
	{phone.ErrBadNumber, scim.InvalidValue, scim.MobilePath},
	{phone.ErrNumberNotServed, scim.InvalidValue, scim.MobilePath},
	{claim.ErrNumberRefused, scim.InvalidValue, scim.MobilePath},
	{claim.ErrRemovalDenied, scim.Mutable, scim.MobilePath},
	{claim.ErrNumberTaken, scim.Uniquity, scim.MobilePath},
	{claim.ErrBeingApplied, "", scim.MobilePath},
	{web.ErrMalformed, scim.InvalidSyntax, ""},
}

// faultOf puts an error into SCIM's terms. Errors that are not SCIM's own have the status
// and the words that they have everywhere, in the first of the languages that they
// can be said in.
func faultOf(err error, languages string) (fault errorBody, status int, own bool) {
	var refused *scim.Error
	switch {
	case errors.As(err, &refused):
		own = true
	case errors.Is(err, users.ErrVersion):
		refused, own = &scim.Error{Status: http.StatusPreconditionFailed, Detail: "the resource was changed since that version"}, true
	case errors.Is(err, scim.ErrIncomplete):
		refused, own = &scim.Error{
			Status: http.StatusServiceUnavailable, Detail: "the index of users is being built from Kratos: try again in a moment",
		}, true
	case errors.Is(err, users.ErrUnmapped):
		refused = &scim.Error{Status: http.StatusServiceUnavailable, Detail: "the attribute mapping does not fit: see the server's log"}
	default:
		problem := web.ProblemFor(err, languages)
		refused = &scim.Error{Status: problem.Status, Detail: problem.Description}
		for _, row := range keywords {
			if errors.Is(err, row.err) {
				refused.ScimType = row.keyword
				if row.attribute != "" {
					refused.Detail = row.attribute + ": " + refused.Detail
				}
				break
			}
		}
	}
	return errorBody{[]string{errorSchema}, strconv.Itoa(refused.Status), refused.ScimType, refused.Detail}, refused.Status, own
}

// fail answers with an error.
func (h handlers) fail(c *gin.Context, err error) {
	if web.HungUp(c, err) {
		web.AnswerNobody(c)
		return
	}
	fault, status, own := faultOf(err, c.GetHeader("Accept-Language"))
	if !own {
		h.server.BeginError(c, err)
	}
	if status == http.StatusServiceUnavailable {
		c.Header("Retry-After", web.RetryOutage)
	}
	if status == http.StatusUnauthorized {
		c.Writer.Header().Add("WWW-Authenticate", `Basic realm="holdline"`)
	}
	answer(c, status, fault)
	c.Abort()
}

package scimbridge

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/holdline/holdline/internal/auth"
	"github.com/holdline/holdline/internal/problem"
	"github.com/holdline/holdline/internal/scim"
	"github.com/holdline/holdline/internal/scim/bulk"
	"github.com/holdline/holdline/internal/scim/users"
	"github.com/holdline/holdline/internal/web"
)

// bulkTime is how long a bulk request may work: longer than others have for their
// answers.
const bulkTime = 5 * time.Minute

// bulk makes several changes with one request (RFC 7644, section 3.7).
func (h handlers) bulk(c *gin.Context) error {
	who, err := h.everybody(c, auth.ScopeSCIMWrite)
	if err != nil {
		return err
	}
	_ = http.NewResponseController(c.Writer).SetWriteDeadline(time.Time{}) // not all writers have one
	ctx, cancel := context.WithTimeout(c.Request.Context(), bulkTime)
	defer cancel()
	body, err := read(c, h.BulkBytes)
	if err != nil {
		return err
	}
	request, err := bulk.Read(body, bulk.Options{MaxOperations: h.BulkOperations, Base: h.url()})
	if err != nil {
		return err
	}
	carriedOut := 0
	var outage error // after which nothing more is tried: each would wait for its own
	done := bulk.Run(ctx, request, func(ctx context.Context, o bulk.Operation) bulk.Outcome {
		user, status, err := users.User{}, 0, outage
		if err == nil {
			user, status, err = h.operate(ctx, who.By, o)
		}
		if errors.Is(err, problem.ErrStoreUnavailable) {
			outage = err
		} else {
			carriedOut++
		}
		if err != nil {
			fault, status, own := faultOf(err, c.GetHeader("Accept-Language"))
			if !own {
				web.LogError(c, h.server.Log, "bulk operation failed", err) //nolint:contextcheck // LogError takes it from the request
			}
			outcome := bulk.Outcome{Status: status, Body: fault}
			if id, ok := h.idOf(o.Path); ok {
				outcome.Location = h.location(id)
			}
			return outcome
		}
		outcome := bulk.Outcome{Status: status, ID: user.ID, Location: h.location(user.ID)}
		if user.Version != "" && !who.Blind {
			outcome.Version = etag(user.Version)
		}
		return outcome
	})
	if outage != nil && carriedOut == 0 {
		return outage
	}
	if outage != nil {
		c.Header("Retry-After", web.RetryOutage)
	}
	answer(c, http.StatusOK, done)
	return nil
}

// operate makes one change of a bulk request.
func (h handlers) operate(ctx context.Context, by users.By, o bulk.Operation) (users.User, int, error) {
	ctx, cancel := context.WithTimeout(ctx, web.AnswerTime)
	defer cancel()
	if o.Method == http.MethodPost {
		if o.Path != h.Resource.Endpoint {
			return users.User{}, 0, scim.Bad(scim.InvalidPath, "the path must be "+h.Resource.Endpoint)
		}
		user, err := h.Users.Create(ctx, by, o.Data)
		return user, http.StatusCreated, err
	}
	if err := blindly(by, o.Version); err != nil {
		return users.User{}, 0, err
	}
	id, ok := h.idOf(o.Path)
	if !ok {
		return users.User{}, 0, scim.Bad(scim.InvalidPath, "the path must be "+h.Resource.Endpoint+"/ and a user's id")
	}
	switch o.Method {
	case http.MethodPut:
		user, err := h.Users.Replace(ctx, by, id, o.Data, ifMatch(o.Version))
		return user, http.StatusOK, err
	case http.MethodPatch:
		user, err := h.patch(ctx, by, id, o.Data, ifMatch(o.Version))
		return user, http.StatusOK, err
	default:
		return users.User{ID: id}, http.StatusNoContent, h.Users.Delete(ctx, by, id, ifMatch(o.Version))
	}
}

// idOf returns the id in a path such as /Users/2819c223.
func (h handlers) idOf(path string) (string, bool) {
	id, ok := strings.CutPrefix(path, h.Resource.Endpoint+"/")
	return id, ok && id != "" && !strings.Contains(id, "/")
}

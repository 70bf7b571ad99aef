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
	"github.com/holdline/holdline/internal/scim/groups"
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
	ctx, cancel := context.WithTimeout(c.Request.Context(), bulkTime)
	defer cancel()
	until, _ := ctx.Deadline()
	_ = http.NewResponseController(c.Writer).SetWriteDeadline(until.Add(web.AnswerTime)) // not all writers have one
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
		done, err := bulk.Outcome{}, outage
		if err == nil {
			done, err = h.operate(ctx, who, o)
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
			if r, id, ok := h.idOf(o.Path); ok && id != "" {
				outcome.Location = h.locationOf(r, id)
			}
			return outcome
		}
		if who.Blind {
			done.Version = ""
		}
		return done
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
func (h handlers) operate(ctx context.Context, who caller, o bulk.Operation) (bulk.Outcome, error) {
	ctx, cancel := context.WithTimeout(ctx, web.AnswerTime)
	defer cancel()
	r, id, ok := h.idOf(o.Path)
	if !ok || (id == "") != (o.Method == http.MethodPost) {
		what := "an id behind it"
		if o.Method == http.MethodPost {
			what = "nothing behind it"
		}
		return bulk.Outcome{}, scim.Bad(scim.InvalidPath, "the path must be "+h.Resource.Endpoint+" or "+h.group.Endpoint+", with "+what)
	}
	if err := blindly(who.By, o.Version); err != nil {
		return bulk.Outcome{}, err
	}
	do := h.operateUser
	if r.Name == h.group.Name {
		do = h.operateGroup
	}
	id, version, err := do(ctx, who, o, id)
	done := bulk.Outcome{Status: http.StatusOK, ID: id, Location: h.locationOf(r, id)}
	if version != "" {
		done.Version = etag(version)
	}
	switch o.Method {
	case http.MethodPost:
		done.Status = http.StatusCreated
	case http.MethodDelete:
		done.Status = http.StatusNoContent
	}
	return done, err
}

func (h handlers) operateUser(ctx context.Context, who caller, o bulk.Operation, id string) (_, version string, err error) {
	var user users.User
	switch o.Method {
	case http.MethodPost:
		user, err = h.Users.Create(ctx, who.By, o.Data)
	case http.MethodPut:
		user, err = h.Users.Replace(ctx, who.By, id, o.Data, ifMatch(o.Version))
	case http.MethodPatch:
		user, err = h.patch(ctx, who.By, id, o.Data, ifMatch(o.Version))
	default:
		return id, "", h.Users.Delete(ctx, who.By, id, ifMatch(o.Version))
	}
	return user.ID, user.Version, err
}

func (h handlers) operateGroup(ctx context.Context, who caller, o bulk.Operation, id string) (_, version string, err error) {
	by := groupsBy(who)
	var g groups.Group
	switch o.Method {
	case http.MethodPost:
		g, err = h.Groups.Create(ctx, by, o.Data)
	case http.MethodPut:
		g, err = h.Groups.Replace(ctx, by, id, o.Data, ifMatch(o.Version))
	case http.MethodPatch:
		g, err = h.patchOfGroup(ctx, by, id, o.Data, ifMatch(o.Version))
	default:
		return id, "", h.Groups.Delete(ctx, by, id, ifMatch(o.Version))
	}
	return g.ID, g.Tag(), err
}

// idOf returns what a path such as /Users/2819c223 leads to; the id is blank in /Users.
func (h handlers) idOf(path string) (r scim.Resource, id string, ok bool) {
	for _, r := range h.resources() {
		rest, found := strings.CutPrefix(path, r.Endpoint)
		if id, deeper := strings.CutPrefix(rest, "/"); found && (rest == "" || deeper && id != "" && !strings.Contains(id, "/")) {
			return r, id, true
		}
	}
	return scim.Resource{}, "", false
}

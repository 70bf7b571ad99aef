package scimbridge

import (
	"context"
	"net/http"

	"github.com/gin-gonic/gin"

	"github.com/holdline/holdline/internal/auth"
	"github.com/holdline/holdline/internal/scim/patch"
	"github.com/holdline/holdline/internal/scim/users"
)

func (h handlers) get(c *gin.Context) error {
	who, id, err := h.about(c, auth.ScopeSCIMRead)
	if err != nil {
		return err
	}
	shown, err := h.projection(c)
	if err != nil {
		return err
	}
	user, err := h.Users.Get(c.Request.Context(), who.By, id)
	if err != nil {
		return err
	}
	if err := h.withGroups(c.Request.Context(), shown, &user); err != nil {
		return err
	}
	if header := all(c, "If-None-Match"); header != "" && lists(header, user.Version) {
		c.Header("ETag", etag(user.Version))
		empty(c, http.StatusNotModified)
		return nil
	}
	h.answer(c, http.StatusOK, user, shown)
	return nil
}

func (h handlers) create(c *gin.Context) error {
	who, err := h.everybody(c, auth.ScopeSCIMWrite)
	if err != nil {
		return err
	}
	body, shown, err := h.bodyFor(c)
	if err != nil {
		return err
	}
	user, err := h.Users.Create(c.Request.Context(), who.By, body)
	if err != nil {
		return err
	}
	if who.Blind {
		h.created(c, h.Resource, user.ID)
		return nil
	}
	return h.answerUser(c, http.StatusCreated, user, shown)
}

// write is a change of one user by a request's body.
type write func(ctx context.Context, by users.By, id string, body map[string]any, wants users.Wants) (users.User, error)

// change adapts a write of one user.
func (h handlers) change(do write) gin.HandlerFunc {
	return h.on(func(c *gin.Context) error {
		who, id, err := h.about(c, auth.ScopeSCIMWrite)
		if err != nil {
			return err
		}
		body, shown, err := h.bodyFor(c)
		if err == nil {
			err = blindly(who.By, all(c, "If-Match"))
		}
		if err != nil {
			return err
		}
		user, err := do(c.Request.Context(), who.By, id, body, ifMatch(all(c, "If-Match")))
		if err != nil {
			return err
		}
		if who.Blind {
			empty(c, http.StatusNoContent)
			return nil
		}
		return h.answerUser(c, http.StatusOK, user, shown)
	})
}

// patch reads a PATCH's body and applies it.
func (h handlers) patch(ctx context.Context, by users.By, id string, body map[string]any, wants users.Wants) (users.User, error) {
	request, err := patch.Read(body, patch.Options{Mode: h.Mode})
	if err == nil {
		err = blindPaths(by, request)
	}
	if err != nil {
		return users.User{}, err
	}
	return h.Users.Patch(ctx, by, id, request, wants)
}

func (h handlers) remove(c *gin.Context) error {
	who, id, err := h.about(c, auth.ScopeSCIMWrite)
	if err == nil {
		err = blindly(who.By, all(c, "If-Match"))
	}
	if err == nil {
		err = h.Users.Delete(c.Request.Context(), who.By, id, ifMatch(all(c, "If-Match")))
	}
	if err == nil {
		empty(c, http.StatusNoContent)
	}
	return err
}

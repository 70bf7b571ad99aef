// Package userapi lets owners confirm, resend, look at and take back their
// claims, with the paths, bodies and error codes of WSO2 Identity Server's user
// APIs where that product has them. docs/from-wso2.md lists the differences.
package userapi

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/holdline/holdline/internal/claim"
	"github.com/holdline/holdline/internal/message"
	"github.com/holdline/holdline/internal/phone"
	"github.com/holdline/holdline/internal/web"
)

// Claims is what the API does. [claim.Service] does it.
type Claims interface {
	Confirm(ctx context.Context, who claim.Caller, code string) error
	Resend(ctx context.Context, who claim.Caller) error
	Cancel(ctx context.Context, who claim.Caller) error
	Status(ctx context.Context, who claim.Caller) (claim.Status, error)
}

const base = "/api/identity/user/v1.0"

// OwnersPath is where the owners' routes are.
const OwnersPath = base + "/me"

// Mount adds the owners' routes, and those of who may act for them. The owners' have a
// server of their own, because pages of other sites may be trusted there. New codes have
// codeLength characters.
func Mount(r gin.IRouter, owners, server *web.Server, claims Claims, people People, codeLength int) {
	h := handlers{claims, people, codeLength}
	me := r.Group(OwnersPath)
	me.POST("/validate-code", web.OwnerJSON(owners, http.StatusAccepted, h.validate))
	me.POST("/resend-code", web.OwnerJSON(owners, http.StatusCreated, h.resend))
	me.GET("/mobile-claim", web.OwnerJSON(owners, http.StatusOK, h.status))
	me.DELETE("/mobile-claim", web.OwnerJSON(owners, http.StatusNoContent, h.cancel))
	r.POST(base+"/validate-code", privilegedJSON(server, http.StatusAccepted, h.validateFor))
	r.POST(base+"/resend-code", privilegedJSON(server, http.StatusCreated, h.resendFor))
}

type handlers struct {
	claims     Claims
	people     People
	codeLength int
}

// validateRequest has all members of WSO2's request. Its verified channel says
// nothing that the claim does not know.
type validateRequest struct {
	Code            typedCode  `json:"code"`
	Properties      properties `json:"properties"`
	VerifiedChannel *struct {
		Type  string `json:"type"`
		Claim string `json:"claim"`
	} `json:"verifiedChannel"`
}

func (h handlers) validate(ctx context.Context, who claim.Caller, in validateRequest) (web.None, error) {
	code, err := in.Code.read(h.codeLength)
	if err != nil {
		return web.None{}, err
	}
	return web.None{}, h.claims.Confirm(ctx, who, code)
}

type resendRequest struct {
	Properties properties `json:"properties"`
}

func (h handlers) resend(ctx context.Context, who claim.Caller, in resendRequest) (web.None, error) {
	if !in.Properties.askForUpdate() {
		return web.None{}, web.ErrScenario
	}
	err := h.claims.Resend(ctx, who)
	if errors.Is(err, claim.ErrNothingPending) {
		err = web.ErrScenario
	}
	return web.None{}, err
}

type statusResponse struct {
	State               claim.State       `json:"state"`
	PendingMobileNumber phone.Number      `json:"pendingMobileNumber"` // prints itself masked
	ExpiresAt           time.Time         `json:"expiresAt"`
	CodeExpiresAt       *time.Time        `json:"codeExpiresAt,omitempty"`
	NextResendAt        *time.Time        `json:"nextResendAt,omitempty"`
	AttemptsLeft        int               `json:"attemptsLeft"`
	Text                message.TextState `json:"text,omitempty"`
}

func (h handlers) status(ctx context.Context, who claim.Caller, _ web.None) (statusResponse, error) {
	s, err := h.claims.Status(ctx, who)
	if err != nil {
		return statusResponse{}, err
	}
	return statusResponse{
		State: s.State, PendingMobileNumber: s.Number, ExpiresAt: s.LapsesAt,
		CodeExpiresAt: known(s.CodeExpires), NextResendAt: known(s.NextText),
		AttemptsLeft: s.AttemptsLeft, Text: s.Text,
	}, nil
}

func (h handlers) cancel(ctx context.Context, who claim.Caller, _ web.None) (web.None, error) {
	return web.None{}, h.claims.Cancel(ctx, who)
}

// known leaves a moment out that never comes.
func known(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

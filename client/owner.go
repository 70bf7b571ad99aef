package client

import (
	"context"
	"net/http"
	"time"
)

const userAPI = "/api/identity/user/v1.0"

// MobileClaim is a number that waits for its code.
type MobileClaim struct {
	// State is open, or verified while an accepted number is being written.
	State string `json:"state"`
	// PendingMobileNumber is masked.
	PendingMobileNumber string    `json:"pendingMobileNumber"`
	ExpiresAt           time.Time `json:"expiresAt"`
	CodeExpiresAt       time.Time `json:"codeExpiresAt,omitzero"`
	// NextResendAt is zero where no more texts may be asked for.
	NextResendAt time.Time `json:"nextResendAt,omitzero"`
	AttemptsLeft int       `json:"attemptsLeft"`
	// Text is the newest text's state: queued, sent, failed or dropped; with
	// receipts also delivered or undelivered; none if no code has been sent yet.
	Text string `json:"text,omitempty"`
}

// User is somebody whom a privileged caller speaks of.
type User struct {
	// Username is what the person signs in with in Kratos.
	Username string `json:"username"`
	// Realm names the Kratos; blank is the primary one.
	Realm string `json:"realm,omitempty"`
}

// ValidatedUser is whose number was confirmed.
type ValidatedUser struct {
	Username     string `json:"username"`
	Realm        string `json:"realm"`
	TenantDomain string `json:"tenant-domain"` // WSO2's; there is one here
	UserID       string `json:"userId"`
}

type property struct {
	Key   string `json:"key"`
	Value string `json:"value"`
}

// onUpdate is the only scenario of a resend.
var onUpdate = []property{{"RecoveryScenario", "MOBILE_VERIFICATION_ON_UPDATE"}}

type codeRequest struct {
	Code string `json:"code"`
	User *User  `json:"user,omitempty"`
}

type resendRequest struct {
	User       *User      `json:"user,omitempty"`
	Properties []property `json:"properties"`
}

// ValidateCode confirms the caller's pending number. Afterwards it is in Kratos, or
// will be as soon as Kratos answers again.
func (c Client) ValidateCode(ctx context.Context, code string) error {
	return c.call(ctx, http.MethodPost, userAPI+"/me/validate-code", codeRequest{Code: code}, nil)
}

// ResendCode texts the caller's pending number another code.
func (c Client) ResendCode(ctx context.Context) error {
	return c.call(ctx, http.MethodPost, userAPI+"/me/resend-code", resendRequest{Properties: onUpdate}, nil)
}

// MobileClaim shows the caller's pending number. None is an [Error] with the code
// HLD-40401.
func (c Client) MobileClaim(ctx context.Context) (MobileClaim, error) {
	var claim MobileClaim
	err := c.call(ctx, http.MethodGet, userAPI+"/me/mobile-claim", nil, &claim)
	return claim, err
}

// CancelMobileClaim takes the caller's pending number back; the old one stays.
func (c Client) CancelMobileClaim(ctx context.Context) error {
	return c.call(ctx, http.MethodDelete, userAPI+"/me/mobile-claim", nil, nil)
}

// ValidateCodeFor confirms somebody else's pending number. The caller must be
// privileged, and enable_verification_by_privileged_user be on.
func (c Client) ValidateCodeFor(ctx context.Context, user User, code string) (ValidatedUser, error) {
	var validated ValidatedUser
	err := c.call(ctx, http.MethodPost, userAPI+"/validate-code", codeRequest{code, &user}, &validated)
	return validated, err
}

// ResendCodeFor texts somebody else's pending number another code. The caller must
// be privileged.
func (c Client) ResendCodeFor(ctx context.Context, user User) error {
	return c.call(ctx, http.MethodPost, userAPI+"/resend-code", resendRequest{&user, onUpdate}, nil)
}

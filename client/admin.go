package client

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// Page is a part of a list, newest first.
type Page[T any] struct {
	Items []T `json:"items"`
	// Next is the Cursor of the page behind this one; blank on the last.
	Next string `json:"next,omitempty"`
}

// Claim is somebody's wish for another number, as administrators see it. Numbers
// are masked, and blank for none.
type Claim struct {
	ID string `json:"id"`
	// IdentityID has the realm in front where it is not the primary one: STAFF/….
	IdentityID string `json:"identity_id"`
	// State is staged, open, verified, or how the claim ended.
	State string `json:"state"`
	// Reason is why the claim ended, where the state does not say.
	Reason string `json:"reason,omitempty"`
	// Origin is settings, scim or console.
	Origin             string `json:"origin"`
	MobileNumber       string `json:"mobile_number"`
	FormerMobileNumber string `json:"former_mobile_number"`
	FormerVerified     bool   `json:"former_verified"`
	// Direct tells that no code stands behind it: once applied, the former number was
	// removed, or the number was written and is not verified.
	Direct   bool `json:"direct,omitempty"`
	Attempts int  `json:"attempts"`
	Texts    int  `json:"texts"`
	// Untexted tells that no code has been sent for an open claim yet.
	Untexted      bool      `json:"untexted,omitempty"`
	CreatedAt     time.Time `json:"created_at"`
	CodeExpiresAt time.Time `json:"code_expires_at,omitzero"`
	NextResendAt  time.Time `json:"next_resend_at,omitzero"`
	ExpiresAt     time.Time `json:"expires_at,omitzero"`
	EndedAt       time.Time `json:"ended_at,omitzero"`
}

// ClaimHistory is a claim with all that happened to it.
type ClaimHistory struct {
	Claim
	Events   []Event `json:"events"`
	Messages []Text  `json:"messages"`
}

// Event is a line of the audit trail.
type Event struct {
	ID           int64     `json:"id"`
	HappenedAt   time.Time `json:"happened_at"`
	Kind         string    `json:"kind"`
	ClaimID      string    `json:"claim_id,omitempty"`
	IdentityID   string    `json:"identity_id,omitempty"`
	MobileNumber string    `json:"mobile_number,omitempty"` // masked
	Reason       string    `json:"reason,omitempty"`
	// ActorKind is owner, privileged, system, link, client, operator or administrator.
	ActorKind    string `json:"actor_kind"`
	ActorID      string `json:"actor_id,omitempty"`
	ActorAddress string `json:"actor_address,omitempty"`
}

// Text is a message that was sent or is to be sent: a code or a notice.
type Text struct {
	ID      string `json:"id"`
	ClaimID string `json:"claim_id,omitempty"`
	// Kind is code, requested, changed or disputed; Channel is sms or webhook.
	Kind         string `json:"kind"`
	Channel      string `json:"channel"`
	IdentityID   string `json:"identity_id"`
	MobileNumber string `json:"mobile_number"` // masked
	// State is as in [MobileClaim]; Reason is why it is not plainly sent.
	State     string    `json:"state"`
	Gateway   string    `json:"gateway,omitempty"`
	Reason    string    `json:"reason,omitempty"`
	Tries     int       `json:"tries"`
	CreatedAt time.Time `json:"created_at"`
	DoneAt    time.Time `json:"done_at,omitzero"`
	Receipts  []Receipt `json:"receipts,omitempty"`
}

// Receipt is what an SMS provider reported of a text.
type Receipt struct {
	// State is accepted, delivered or undelivered; Detail the provider's own word.
	State      string    `json:"state"`
	Detail     string    `json:"detail,omitempty"`
	ReceivedAt time.Time `json:"received_at"`
}

// Numbers are a claim's numbers in full.
type Numbers struct {
	MobileNumber       string `json:"mobile_number"`
	FormerMobileNumber string `json:"former_mobile_number"` // blank for none
}

// ClaimFilter chooses claims; what is blank chooses all.
type ClaimFilter struct {
	State      string `json:"state,omitempty"`
	IdentityID string `json:"identity_id,omitempty"`
	Cursor     string `json:"cursor,omitempty"`
	Limit      int    `json:"limit,omitempty"` // at most 500; 0 is 50
}

// ClaimSearch chooses claims, also those of a number.
type ClaimSearch struct {
	ClaimFilter
	// MobileNumber is in full, or masked as answers have it. It is no part of
	// [ClaimFilter], which is sent in a request's address: those are kept in places
	// that nobody thinks of.
	MobileNumber string `json:"mobile_number,omitempty"`
}

// TextFilter chooses texts; what is blank chooses all.
type TextFilter struct {
	ClaimID, State, Gateway, Cursor string
	Limit                           int // at most 500; 0 is 50
}

// EventFilter chooses lines of the audit trail; what is blank chooses all.
type EventFilter struct {
	ClaimID, IdentityID, Kind, Cursor string
	Limit                             int // at most 500; 0 is 50
}

// Claims lists claims. [Client.SearchClaims] finds those of a number.
func (c Client) Claims(ctx context.Context, f ClaimFilter) (Page[Claim], error) {
	return list[Claim](ctx, c, "/admin/claims", url.Values{
		"state": {f.State}, "identity_id": {f.IdentityID}, "cursor": {f.Cursor}, "limit": {strconv.Itoa(f.Limit)},
	})
}

// SearchClaims lists claims, also those of a number.
func (c Client) SearchClaims(ctx context.Context, s ClaimSearch) (Page[Claim], error) {
	var page Page[Claim]
	err := c.call(ctx, http.MethodPost, "/admin/claims/search", s, &page)
	return page, err
}

// Claim shows a claim with its history.
func (c Client) Claim(ctx context.Context, id string) (ClaimHistory, error) {
	var claim ClaimHistory
	err := c.call(ctx, http.MethodGet, claimPath(id), nil, &claim)
	return claim, err
}

// CancelClaim cancels an open claim.
func (c Client) CancelClaim(ctx context.Context, id string) error {
	return c.call(ctx, http.MethodDelete, claimPath(id), nil, nil)
}

// ResendClaim texts an open claim's number another code.
func (c Client) ResendClaim(ctx context.Context, id string) error {
	return c.call(ctx, http.MethodPost, claimPath(id)+"/resend", nil, nil)
}

// RevealClaim shows a claim's numbers in full; the audit trail says who saw them.
func (c Client) RevealClaim(ctx context.Context, id string) (Numbers, error) {
	var numbers Numbers
	err := c.call(ctx, http.MethodPost, claimPath(id)+"/reveal", nil, &numbers)
	return numbers, err
}

// Texts lists texts and notices.
func (c Client) Texts(ctx context.Context, f TextFilter) (Page[Text], error) {
	return list[Text](ctx, c, "/admin/texts", url.Values{
		"claim_id": {f.ClaimID}, "state": {f.State}, "gateway": {f.Gateway}, "cursor": {f.Cursor}, "limit": {strconv.Itoa(f.Limit)},
	})
}

// Audit lists lines of the audit trail.
func (c Client) Audit(ctx context.Context, f EventFilter) (Page[Event], error) {
	return list[Event](ctx, c, "/admin/audit", url.Values{
		"claim_id": {f.ClaimID}, "identity_id": {f.IdentityID}, "kind": {f.Kind}, "cursor": {f.Cursor}, "limit": {strconv.Itoa(f.Limit)},
	})
}

func claimPath(id string) string { return "/admin/claims/" + url.PathEscape(id) }

func list[T any](ctx context.Context, c Client, path string, values url.Values) (Page[T], error) {
	var page Page[T]
	err := c.call(ctx, http.MethodGet, query(path, values), nil, &page)
	return page, err
}

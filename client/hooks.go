package client

import (
	"context"
	"net/http"
	"net/url"
	"time"
)

// SettingsFlow is a settings form that Kratos is about to store. Kratos' own calls
// are made by the jsonnet of `holdline kratos-config`; these types are for tests of
// it, and for whatever stands in for Kratos.
type SettingsFlow struct {
	IdentityID    string    `json:"identity_id"`
	FlowID        string    `json:"flow_id"`
	FlowIssuedAt  time.Time `json:"flow_issued_at,omitzero"`
	SchemaID      string    `json:"schema_id,omitempty"`
	OldMobile     *string   `json:"old_mobile"`
	NewMobile     *string   `json:"new_mobile"`
	PendingMobile *string   `json:"pending_mobile"`
	// Traits are the proposed ones, all of them; the rest is as it is stored.
	Traits              map[string]any   `json:"traits"`
	MetadataPublic      map[string]any   `json:"metadata_public"`
	VerifiableAddresses []map[string]any `json:"verifiable_addresses"`
	AuthenticatedAt     time.Time        `json:"authenticated_at,omitzero"`
	// Locale is the identity's own, Language what the browser accepts.
	Locale        any    `json:"locale,omitempty"`
	Language      string `json:"language,omitempty"`
	ClientAddress string `json:"client_address,omitempty"`
}

// StoredFlow is a settings form that Kratos has stored.
type StoredFlow struct {
	IdentityID    string    `json:"identity_id"`
	FlowID        string    `json:"flow_id"`
	FlowIssuedAt  time.Time `json:"flow_issued_at,omitzero"`
	NewMobile     *string   `json:"new_mobile"`
	PendingMobile *string   `json:"pending_mobile"`
	Locale        any       `json:"locale,omitempty"`
	Language      string    `json:"language,omitempty"`
	ClientAddress string    `json:"client_address,omitempty"`
}

// StagedIdentity is what Kratos is to store in place of what was proposed.
type StagedIdentity struct {
	Traits              map[string]any   `json:"traits"`
	MetadataPublic      map[string]any   `json:"metadata_public"`
	VerifiableAddresses []map[string]any `json:"verifiable_addresses,omitempty"`
}

// FieldMessages are messages at a field of a form.
type FieldMessages struct {
	InstancePtr string         `json:"instance_ptr"` // a JSON pointer, such as #/traits/mobile
	Messages    []FieldMessage `json:"messages"`
}

// FieldMessage is a message for the person who filled in the form.
type FieldMessage struct {
	ID      int64          `json:"id"`
	Text    string         `json:"text"`
	Type    string         `json:"type"` // error or info
	Context MessageContext `json:"context"`
}

// MessageContext is a message for programs.
type MessageContext struct {
	Code    string    `json:"code,omitempty"`
	RetryAt time.Time `json:"retry_at,omitzero"`
	// Claim is open where a code is on its way all the same; Pending is the masked
	// number then, and Page is where the code is typed.
	Claim   string `json:"claim,omitempty"`
	Pending string `json:"pending,omitempty"`
	Page    string `json:"page,omitempty"`
}

// StageHook asks what to store of a form. A form that must not be stored is an
// [Error] with Messages.
func (c Client) StageHook(ctx context.Context, flow SettingsFlow) (StagedIdentity, error) {
	var answer struct {
		Identity StagedIdentity `json:"identity"`
	}
	err := c.call(ctx, http.MethodPost, "/hooks/settings/stage", flow, &answer)
	return answer.Identity, err
}

// ActivateHook says that a form was stored: its code goes out.
func (c Client) ActivateHook(ctx context.Context, flow StoredFlow) error {
	return c.call(ctx, http.MethodPost, "/hooks/settings/activate", flow, nil)
}

// ChangedHook says that an identity was made or changed.
func (c Client) ChangedHook(ctx context.Context, identityID string) error {
	changed := struct {
		IdentityID string `json:"identity_id"`
	}{identityID}
	return c.call(ctx, http.MethodPost, "/hooks/identity/changed", changed, nil)
}

// Trial is a change of number by an identity that was made to see what Kratos does with
// it, and is deleted afterwards. Nobody is texted for one to a number that nobody can have.
type Trial struct {
	Expires   time.Time `json:"expires"`
	Staged    int       `json:"staged"`    // calls of the stage hook that have come
	Activated int       `json:"activated"` // calls of the activate hook that have come
	Held      bool      `json:"held"`      // the number was held back
}

func trialPath(identityID string) string { return "/hooks/trials/" + url.PathEscape(identityID) }

// BeginTrial announces a trial, for the few minutes that the answer says.
func (c Client) BeginTrial(ctx context.Context, identityID string) (t Trial, err error) {
	err = c.call(ctx, http.MethodPut, trialPath(identityID), nil, &t)
	return t, err
}

// Trial tells what has come of a trial.
func (c Client) Trial(ctx context.Context, identityID string) (t Trial, err error) {
	err = c.call(ctx, http.MethodGet, trialPath(identityID), nil, &t)
	return t, err
}

// EndTrial ends a trial, once its identity is deleted.
func (c Client) EndTrial(ctx context.Context, identityID string) error {
	return c.call(ctx, http.MethodDelete, trialPath(identityID), nil, nil)
}

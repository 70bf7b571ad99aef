package hook

import (
	"context"
	"encoding/json"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/holdline/holdline/internal/claim"
	"github.com/holdline/holdline/internal/phone"
	"github.com/holdline/holdline/internal/web"
)

// object keeps what it does not need to understand exactly as Kratos sent it.
type object map[string]json.RawMessage

// settingsBody is what the jsonnet of kratos-config makes of a settings flow.
type settingsBody struct {
	IdentityID string `json:"identity_id"`
	FlowID     string `json:"flow_id"`
	// FlowIssued is when Kratos made the flow. What an earlier release printed does not say.
	FlowIssued time.Time `json:"flow_issued_at"`
	SchemaID   string    `json:"schema_id"`
	OldMobile  *string   `json:"old_mobile"`
	NewMobile  *string   `json:"new_mobile"`
	Pending    *string   `json:"pending_mobile"`
	// Traits are the proposed ones for stage, the stored ones for activate.
	Traits         object `json:"traits"`
	MetadataPublic object `json:"metadata_public"`
	// Addresses are those before the flow, handed back word for word.
	Addresses json.RawMessage `json:"verifiable_addresses"`
	// SignedIn is when the session was authenticated. Kratos v1.3 does not say.
	SignedIn *time.Time `json:"authenticated_at"`
	// Assurance is the session's. Kratos v1.3 does not say.
	Assurance *string         `json:"aal"`
	Locale    json.RawMessage `json:"locale"` // the identity's own, whatever type it has
	Language  string          `json:"language"`
	Address   string          `json:"client_address"`
}

// readStage reads a stage call. Errors: web.ErrMalformed and its like, and those of
// exact.
func (h handlers) readStage(ctx context.Context, c *gin.Context) (in settingsBody, change claim.SettingsChange, err error) {
	if err = web.ReadJSON(c.Writer, c.Request, &in, false); err != nil {
		return in, change, err
	}
	if change, err = in.change(h.Options); err != nil {
		return in, change, err
	}
	change.Language = in.language()
	err = h.exact(ctx, change.IdentityID, &in)
	return in, change, err
}

// change reads the body of a stage call. The error is web.ErrMalformed.
func (b settingsBody) change(o Options) (claim.SettingsChange, error) {
	if !isID(b.IdentityID) || b.FlowID == "" || b.Traits == nil {
		return claim.SettingsChange{}, web.ErrMalformed
	}
	verified, err := b.verified(o.Plan)
	change := claim.SettingsChange{
		IdentityID: claim.InRealm(o.Realm, b.IdentityID), FlowID: b.FlowID, FlowIssued: b.FlowIssued, SchemaID: claim.InRealm(o.Realm, b.SchemaID),
		Stored: text(b.OldMobile), Wanted: text(b.NewMobile), StoredVerified: verified,
		ShownPending: textOf(b.MetadataPublic[o.PendingKey]), ClientIP: b.address(), Assurance: claim.Assurance(text(b.Assurance)),
	}
	if b.SignedIn != nil {
		change.SignedIn = *b.SignedIn
	}
	if proposed := textOf(b.Traits[o.MobileTrait]); proposed != change.Wanted {
		return change, web.ErrMalformed // the body would rule on another number than it stores
	}
	return change, err
}

// verified reports whether the old number's address is.
func (b settingsBody) verified(plan phone.Parser) (bool, error) {
	if len(b.Addresses) == 0 {
		return false, nil
	}
	var addresses []struct {
		Value    string `json:"value"`
		Via      string `json:"via"`
		Verified bool   `json:"verified"`
	}
	if json.Unmarshal(b.Addresses, &addresses) != nil {
		return false, web.ErrMalformed
	}
	old := phone.ParseStored(plan, text(b.OldMobile))
	for _, a := range addresses {
		if a.Verified && a.Via == "sms" && !old.IsZero() && old.IsStored(plan, a.Value) {
			return true, nil
		}
	}
	return false, nil
}

// language returns what the person reads: their own setting, then what their
// browser asks for.
func (b settingsBody) language() string { return web.PreferredLanguage(textOf(b.Locale), b.Language) }

// address returns the client's address, if that is what a proxy wrote, or Kratos
// of a device (with a port, where the client was not behind a proxy).
func (b settingsBody) address() string {
	address, ok := web.ParseAddress(strings.TrimSpace(b.Address))
	if !ok {
		return ""
	}
	return address.String()
}

// isID tells an identity's id from nothing, and from one that would name a realm.
func isID(id string) bool { return id != "" && !strings.Contains(id, "/") }

// text returns a member that may be null.
func text(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// textOf reads a JSON string; anything else is no text.
func textOf(raw json.RawMessage) string {
	var s string
	if json.Unmarshal(raw, &s) != nil {
		return ""
	}
	return s
}

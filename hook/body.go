package hook

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/holdline/holdline/internal/claim"
	"github.com/holdline/holdline/internal/phone"
	"github.com/holdline/holdline/internal/textclean"
	"github.com/holdline/holdline/internal/web"
)

// object keeps what it does not need to understand exactly as Kratos sent it.
type object map[string]json.RawMessage

// settingsBody is what the jsonnet of kratos-config makes of a settings flow.
type settingsBody struct {
	IdentityID string  `json:"identity_id"`
	FlowID     string  `json:"flow_id"`
	SchemaID   string  `json:"schema_id"`
	OldMobile  *string `json:"old_mobile"`
	NewMobile  *string `json:"new_mobile"`
	Pending    *string `json:"pending_mobile"`
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

// change reads the body of a stage call. The error is web.ErrMalformed.
func (b settingsBody) change(o Options) (claim.SettingsChange, error) {
	if !isID(b.IdentityID) || b.FlowID == "" || b.Traits == nil {
		return claim.SettingsChange{}, web.ErrMalformed
	}
	verified, err := b.verified(o.Plan)
	change := claim.SettingsChange{
		IdentityID: claim.InRealm(o.Realm, b.IdentityID), FlowID: b.FlowID, SchemaID: claim.InRealm(o.Realm, b.SchemaID),
		Stored: text(b.OldMobile), Wanted: text(b.NewMobile), StoredVerified: verified,
		Marker: textOf(b.MetadataPublic[o.PendingKey]), Address: b.address(), Assurance: claim.Assurance(text(b.Assurance)),
	}
	if b.SignedIn != nil {
		change.SignedIn = *b.SignedIn
	}
	if proposed := textOf(b.Traits[o.MobileTrait]); proposed != change.Wanted {
		return change, web.ErrMalformed // the body would rule on another number than it stores
	}
	return change, err
}

// flow reads the body of an activate call. The error is web.ErrMalformed.
func (b settingsBody) flow(realm string) (claim.StoredFlow, error) {
	if !isID(b.IdentityID) || b.FlowID == "" {
		return claim.StoredFlow{}, web.ErrMalformed
	}
	return claim.StoredFlow{
		IdentityID: claim.InRealm(realm, b.IdentityID), FlowID: b.FlowID, Mobile: text(b.NewMobile), Marker: text(b.Pending),
		Address: b.address(),
	}, nil
}

// textOf reads a JSON string; anything else is no text.
func textOf(raw json.RawMessage) string {
	var s string
	if json.Unmarshal(raw, &s) != nil {
		return ""
	}
	return s
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

// identity is the part of Kratos' web hook answer that replaces what the flow
// proposed. Each member replaces the whole of its kind; one that is left out
// stays as proposed.
type identity struct {
	Traits         object          `json:"traits"`
	MetadataPublic object          `json:"metadata_public"` // {} empties it
	Addresses      json.RawMessage `json:"verifiable_addresses,omitempty"`
}

type stageAnswer struct {
	Identity identity `json:"identity"`
}

// answer puts a ruling into Kratos' terms: the traits as proposed, with the old
// number back where the new one is held back or merely spelled otherwise; the
// addresses of before with it, because the old number would lose its verified
// mark otherwise; and the pending number in the public metadata.
func (h handlers) answer(in settingsBody, ruling claim.Answer) stageAnswer {
	out := identity{Traits: maps.Clone(in.Traits), MetadataPublic: maps.Clone(in.MetadataPublic)}
	switch ruling.Ruling {
	case claim.Leave, claim.KeepPending, claim.Challenge, claim.TakeBack, claim.RefuseRemoval:
		delete(out.Traits, h.MobileTrait)
		if in.OldMobile != nil {
			out.Traits[h.MobileTrait] = quote(*in.OldMobile)
		}
		if string(in.Addresses) != "[]" && string(in.Addresses) != "null" {
			out.Addresses = in.Addresses
		}
	case claim.Write, claim.Remove, claim.WriteUnverified:
	}
	if raw, there := out.Traits[h.MobileTrait]; there && isBlank(raw) {
		delete(out.Traits, h.MobileTrait)
		out.Addresses = withoutBlank(out.Addresses)
	}
	if out.MetadataPublic == nil {
		out.MetadataPublic = object{}
	}
	if ruling.Pending.IsZero() {
		delete(out.MetadataPublic, h.PendingKey)
	} else {
		out.MetadataPublic[h.PendingKey] = quote(ruling.Pending.Unmasked())
	}
	return stageAnswer{out}
}

// isBlank reports whether a trait is null, or text of which nothing can be seen.
// Kratos would keep an address of it, which only one person can have.
func isBlank(raw json.RawMessage) bool {
	var s *string
	return json.Unmarshal(raw, &s) == nil && (s == nil || textclean.Blank(*s))
}

// withoutBlank leaves the addresses out that stand for no number; nil stays nil.
func withoutBlank(addresses json.RawMessage) json.RawMessage {
	var all []json.RawMessage
	if json.Unmarshal(addresses, &all) != nil {
		return addresses // change has read them
	}
	kept := slices.DeleteFunc(slices.Clone(all), func(raw json.RawMessage) bool {
		var a struct{ Value string }
		return json.Unmarshal(raw, &a) == nil && textclean.Blank(a.Value)
	})
	switch len(kept) {
	case len(all):
		return addresses // word for word
	case 0:
		return nil
	}
	out, err := json.Marshal(kept)
	if err != nil {
		return addresses
	}
	return out
}

// quote writes a JSON string.
func quote(s string) json.RawMessage {
	raw, err := json.Marshal(s)
	if err != nil {
		return json.RawMessage(`""`) // a string always marshals
	}
	return raw
}

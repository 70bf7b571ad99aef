package double

import (
	"encoding/json"
	"maps"
	"slices"
)

// What the identities' one schema calls the number, and where it is shown as
// pending. Both are Holdline's defaults.
const (
	trait      = "mobile"
	pendingKey = "pendingMobileNumber"
	schemaID   = "default"
)

// schemaDocument makes the number an address that can be verified, and no
// identifier for sign-in; SCIM needs a name to sign in by.
const schemaDocument = `{
  "$schema": "http://json-schema.org/draft-07/schema#",
  "type": "object",
  "properties": {"traits": {"type": "object", "properties": {
    "username": {"type": "string", "ory.sh/kratos": {"credentials": {"password": {"identifier": true}}}},
    "mobile": {"type": "string", "ory.sh/kratos": {"verification": {"via": "sms"}}}
  }}}
}`

// Identity is a Kratos identity with all that Holdline reads and writes
// (https://www.ory.sh/docs/kratos/reference/api#tag/identity). A value is never
// changed once it is stored.
type Identity struct {
	ID             string            `json:"id"`
	SchemaID       string            `json:"schema_id"`
	State          string            `json:"state"`
	Traits         map[string]string `json:"traits"`
	MetadataPublic map[string]string `json:"metadata_public"`
	Addresses      []Address         `json:"verifiable_addresses"`
}

// Address is a verifiable address.
type Address struct {
	Value    string `json:"value"`
	Via      string `json:"via"`
	Status   string `json:"status"`
	Verified bool   `json:"verified"`
}

func newIdentity(id, mobile string) Identity {
	return Identity{
		ID: id, SchemaID: schemaID, State: "active",
		Traits: map[string]string{"username": id, trait: mobile}, MetadataPublic: map[string]string{},
		Addresses: []Address{{Value: mobile, Via: "sms", Status: "completed", Verified: true}},
	}
}

// Mobile is the stored number.
func (i Identity) Mobile() string { return i.Traits[trait] }

// Done reports whether the identity has the number, verified, and none is pending.
func (i Identity) Done(mobile string) bool {
	_, pending := i.MetadataPublic[pendingKey]
	return !pending && i.Mobile() == mobile && len(i.Addresses) == 1 && i.Addresses[0].Verified
}

// settled is what Kratos makes of an identity that is stored: addresses that no
// trait has any more go, of two alike the first stays, and a number without an
// address gets one that is not verified.
func (i Identity) settled() Identity {
	at := slices.IndexFunc(i.Addresses, func(a Address) bool { return a.Value == i.Mobile() })
	if at >= 0 {
		i.Addresses = []Address{i.Addresses[at]}
	} else {
		i.Addresses = []Address{{Value: i.Mobile(), Via: "sms", Status: "pending"}}
	}
	return i
}

// operation is one of a JSON patch (RFC 6902).
type operation struct {
	Op    string          `json:"op"`
	Path  string          `json:"path"`
	Value json.RawMessage `json:"value"`
}

// apply returns the identity after one operation; false if Kratos would refuse
// it, or if Holdline is not known to send it.
func (i Identity) apply(o operation) (Identity, bool) {
	switch o.Op + " " + o.Path {
	case "add /traits/" + trait:
		i.Traits = maps.Clone(i.Traits)
		mobile, ok := text(o.Value)
		i.Traits[trait] = mobile
		return i, ok
	case "add /metadata_public/" + pendingKey:
		i.MetadataPublic = maps.Clone(i.MetadataPublic)
		pending, ok := text(o.Value)
		i.MetadataPublic[pendingKey] = pending
		return i, ok
	case "remove /metadata_public/" + pendingKey:
		_, pending := i.MetadataPublic[pendingKey]
		i.MetadataPublic = maps.Clone(i.MetadataPublic)
		delete(i.MetadataPublic, pendingKey)
		return i, pending
	case "add /verifiable_addresses/-":
		var added Address
		err := json.Unmarshal(o.Value, &added)
		i.Addresses = append(slices.Clone(i.Addresses), added)
		return i, err == nil
	}
	return i, false
}

func text(raw json.RawMessage) (s string, ok bool) {
	return s, json.Unmarshal(raw, &s) == nil
}

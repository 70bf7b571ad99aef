package client

import (
	"context"
	"net/http"
	"net/url"
)

// Profile is what Kratos has of a person.
type Profile struct {
	IdentityID   string   `json:"identity_id"`
	Name         string   `json:"name,omitempty"`
	Emails       []string `json:"emails,omitempty"`
	UserNames    []string `json:"user_names,omitempty"`
	MobileNumber string   `json:"mobile_number"` // masked
	Verified     bool     `json:"mobile_number_verified"`
	Privileged   bool     `json:"privileged,omitempty"`
}

// Person is somebody whom a search has found.
type Person struct {
	Profile
	Last *Claim `json:"last_claim,omitempty"`
}

// PeopleFound are those whom a search has found.
type PeopleFound struct {
	Items []Person `json:"items"`
	More  bool     `json:"more"` // others fit too
	// Incomplete says that some may be missing: the index is still being built, or Kratos
	// does not answer.
	Incomplete bool `json:"incomplete"`
}

// SearchPeople finds people by an e-mail address, user name, name, number or four digits
// of one, or by an identity's id.
func (c Client) SearchPeople(ctx context.Context, query string) (PeopleFound, error) {
	var found PeopleFound
	err := c.call(ctx, http.MethodPost, "/admin/people/search", map[string]string{"query": query}, &found)
	return found, err
}

// PersonFound is one person with all that happened.
type PersonFound struct {
	Profile
	Gone       bool    `json:"gone,omitempty"`        // Kratos has no such identity any more
	KratosAway bool    `json:"kratos_away,omitempty"` // nothing is known of the profile
	Claims     []Claim `json:"claims"`                // newest first
	Events     []Event `json:"events"`                // oldest first
	Messages   []Text  `json:"messages"`              // oldest first
	Older      bool    `json:"older"`                 // more is kept than this
}

// Person shows one person, found by [Client.SearchPeople].
func (c Client) Person(ctx context.Context, identityID string) (PersonFound, error) {
	var found PersonFound
	err := c.call(ctx, http.MethodGet, query("/admin/person", url.Values{"identity_id": {identityID}}), nil, &found)
	return found, err
}

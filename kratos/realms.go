package kratos

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/holdline/holdline/internal/auth"
	"github.com/holdline/holdline/internal/claim"
	"github.com/holdline/holdline/internal/phone"
)

// Realm is one of several Kratos, by the name that callers know it by.
type Realm struct {
	Name   string
	Client *Client
}

// Realms are one or more Kratos, told apart by the names of their realms; the
// first is the primary one. Identities go by [claim.InRealm]. It is a
// [claim.Identities].
type Realms struct{ list []Realm }

var _ claim.Identities = Realms{}

// NewRealms returns the primary realm and others.
func NewRealms(primary *Client, others ...Realm) Realms {
	return Realms{append([]Realm{{claim.PrimaryRealm, primary}}, others...)}
}

// Close closes all.
func (r Realms) Close() {
	for _, realm := range r.list {
		realm.Client.Close()
	}
}

// Prefetch reads the identity schemas of all.
func (r Realms) Prefetch(ctx context.Context) error {
	var faults []error
	for _, realm := range r.list {
		if err := realm.Client.Prefetch(ctx); err != nil {
			faults = append(faults, fmt.Errorf("realm %s: %w", realm.Name, err))
		}
	}
	return errors.Join(faults...)
}

// named returns a realm by its name, in any case; blank is the primary one.
func (r Realms) named(name string) (Realm, bool) {
	if name == "" {
		return r.list[0], true
	}
	for _, realm := range r.list {
		if strings.EqualFold(realm.Name, name) {
			return realm, true
		}
	}
	return Realm{}, false
}

// of returns where an identity is kept, and its id there. Whose realm is no
// longer configured is somewhere that cannot be reached: that may pass.
func (r Realms) of(identityID string) (*Client, string, error) {
	name, id := claim.SplitRealm(identityID)
	realm, known := r.named(name)
	if !known {
		return nil, "", fmt.Errorf("%w: realm %q is not configured", claim.ErrIdentitiesUnavailable, name)
	}
	return realm.Client, id, nil
}

// Identity implements [claim.Identities].
func (r Realms) Identity(ctx context.Context, identityID string) (claim.Identity, error) {
	d, id, err := r.of(identityID)
	if err != nil {
		return claim.Identity{}, err
	}
	found, err := d.Identity(ctx, id)
	found.ID = identityID
	return found, err
}

// ApplyNumber implements [claim.Identities].
func (r Realms) ApplyNumber(ctx context.Context, identityID string, number phone.Number, unmark bool) error {
	d, id, err := r.of(identityID)
	if err != nil {
		return err
	}
	return d.ApplyNumber(ctx, id, number, unmark)
}

// EndOthers ends an identity's sessions but that of a Cookie header, see [Client.EndOthers].
func (r Realms) EndOthers(ctx context.Context, identityID, cookie string) error {
	d, _, err := r.of(identityID)
	if err != nil {
		return err
	}
	return d.EndOthers(ctx, cookie)
}

// ShowPending implements [claim.Identities].
func (r Realms) ShowPending(ctx context.Context, identityID string, number phone.Number) error {
	d, id, err := r.of(identityID)
	if err != nil {
		return err
	}
	return d.ShowPending(ctx, id, number)
}

// Write implements [claim.Identities].
func (r Realms) Write(ctx context.Context, identityID string, number phone.Number) error {
	d, id, err := r.of(identityID)
	if err != nil {
		return err
	}
	return d.Write(ctx, id, number)
}

// ClearPending implements [claim.Identities].
func (r Realms) ClearPending(ctx context.Context, identityID string) error {
	d, id, err := r.of(identityID)
	if err != nil {
		return err
	}
	return d.ClearPending(ctx, id)
}

// Holders returns who has a number in an identity's realm, as [Directory.Holders]
// does; the named identities have their realm before their ids, and others than the
// identity's are left out.
func (r Realms) Holders(
	ctx context.Context, identityID string, number phone.Number, named []string,
) ([]claim.Holder, error) {
	d, id, err := r.of(identityID)
	if err != nil {
		return nil, err
	}
	realm, _ := claim.SplitRealm(identityID)
	var local []string
	for _, other := range named {
		if of, id := claim.SplitRealm(other); of == realm {
			local = append(local, id)
		}
	}
	holders, err := d.Holders(ctx, id, number, local)
	for i := range holders {
		holders[i].ID = claim.InRealm(realm, holders[i].ID)
	}
	return holders, err
}

// Vacate implements [claim.Holders].
func (r Realms) Vacate(ctx context.Context, identityID string, number phone.Number) error {
	d, id, err := r.of(identityID)
	if err != nil {
		return err
	}
	return d.Vacate(ctx, id, number)
}

// CodeIdentifier implements [claim.Identities]. Schemas go by the names of their
// realms as identities do.
func (r Realms) CodeIdentifier(ctx context.Context, schemaID string) (bool, error) {
	d, id, err := r.of(schemaID)
	if err != nil {
		return false, err
	}
	return d.CodeIdentifier(ctx, id)
}

// Email returns where an identity gets its mail, as [Directory.Email] does.
func (r Realms) Email(ctx context.Context, identityID string) (string, error) {
	d, id, err := r.of(identityID)
	if err != nil {
		return "", err
	}
	return d.Email(ctx, id)
}

// Documents reads an identity's documents, as [Directory.Documents] does.
func (r Realms) Documents(ctx context.Context, identityID string) (traits, public json.RawMessage, err error) {
	d, id, err := r.of(identityID)
	if err != nil {
		return nil, nil, err
	}
	return d.Documents(ctx, id)
}

// Privileged reports whether an identity is a privileged person of its realm.
func (r Realms) Privileged(ctx context.Context, identityID string) (bool, error) {
	d, id, err := r.of(identityID)
	if err != nil {
		return false, err
	}
	return d.Privileged(ctx, id)
}

// Session asks for the session of a token or of a Cookie header. A cookie is
// asked for where one of its name is in use, and a token, which does not say
// where it is from, in every realm, the primary one first.
func (r Realms) Session(ctx context.Context, cookie, token string) (claim.Caller, error) {
	unknown := auth.ErrNoSession
	for _, realm := range r.list {
		caller, err := realm.Client.Session(ctx, cookie, token)
		switch {
		case err == nil:
			return realm.caller(caller), nil
		case errors.Is(err, auth.ErrSecondFactor), !errors.Is(err, auth.ErrNoSession):
			unknown = err // a realm that is away may be the right one
		}
	}
	return claim.Caller{}, unknown
}

// Login signs in with a password. The user's realm stands before the name, as in
// STAFF/bob; without one the primary realm is meant.
func (r Realms) Login(ctx context.Context, user, password string) (claim.Caller, error) {
	realm, name := r.split("", user)
	caller, err := realm.Client.Login(ctx, name, password)
	return realm.caller(caller), err
}

// caller puts the realm to a caller's name.
func (r Realm) caller(c claim.Caller) claim.Caller {
	c.IdentityID = claim.InRealm(r.Name, c.IdentityID)
	if c.Seen != nil {
		c.Seen.ID = c.IdentityID
	}
	return c
}

// split finds the realm that a user's name begins with, if it does.
func (r Realms) split(realm, user string) (Realm, string) {
	if before, name, found := strings.Cut(user, "/"); found && realm == "" {
		if known, ok := r.named(before); ok && before != "" {
			return known, name
		}
	}
	return r.list[0], user
}

// Person returns who signs in by a name in a realm, and the realm's name. A
// realm or a person that does not exist is [claim.ErrNoIdentity].
func (r Realms) Person(ctx context.Context, realm, user string) (claim.Identity, string, error) {
	in, known := r.named(realm)
	if !known {
		return claim.Identity{}, "", claim.ErrNoIdentity
	}
	if realm == "" {
		in, user = r.split(realm, user)
	}
	found, err := in.Client.Person(ctx, user)
	found.ID = claim.InRealm(in.Name, found.ID)
	return found, in.Name, err
}

package claim

import "strings"

// PrimaryRealm names the Kratos that identities belong to where none is said.
const PrimaryRealm = "PRIMARY"

// InRealm returns an identity's id across realms: the plain id in the primary
// realm, and otherwise the realm's name before it. Everything that is kept of an
// identity is kept under it.
func InRealm(realm, id string) string {
	if realm == PrimaryRealm || realm == "" || id == "" {
		return id
	}
	return realm + "/" + id
}

// SplitRealm takes apart what InRealm has put together.
func SplitRealm(identityID string) (realm, id string) {
	if realm, id, found := strings.Cut(identityID, "/"); found {
		return realm, id
	}
	return PrimaryRealm, identityID
}

package users

import (
	"net/http"

	"github.com/holdline/holdline/internal/audit"
	"github.com/holdline/holdline/internal/scim"
	"github.com/holdline/holdline/internal/scim/mapping"
)

// errPrivileged refuses a client without privilege.
var errPrivileged = &scim.Error{
	Status: http.StatusForbidden,
	Detail: "this user is a privileged person: a token without privilege may do no more than set active to false",
}

// beyond reports whether an identity is out of a client's reach: a privileged
// person's is, of a client that is not privileged.
func (s *Service) beyond(by By, record scim.Record) bool {
	return by.Actor.Kind == audit.Client && s.PrivilegedKey != "" && record.MetadataAdmin[s.PrivilegedKey] == true
}

// reach cuts what a request makes of somebody beyond a client's reach down to what
// the client may do. Whoever is to be switched off is, and nothing else of the
// request is done, so that no difference of names keeps a leaver active. What would
// change nothing is no fault, unless the client may not read: it would learn what is
// there by trying.
func (s *Service) reach(by By, m *mapping.Mapping, record scim.Record, before map[string]any, e edited, err error) (edited, error) {
	switch {
	case err == nil && e.off:
		document := scim.CloneObject(before)
		document["active"] = false
		return edited{document: document, off: true}, nil
	case err == nil && !by.Blind && s.changesNothing(by, m, record, e):
		return edited{document: before}, nil
	default:
		return edited{}, errPrivileged
	}
}

// changesNothing reports whether a document is what an identity is already.
func (s *Service) changesNothing(by By, m *mapping.Mapping, record scim.Record, e edited) bool {
	number, err := m.Mobile(e.document)
	if err != nil || e.without != nil || e.document["password"] != nil {
		return false
	}
	wish := mapping.NumberWish{Change: true, Number: number}
	operations, err := m.Operations(record, e.document, wish, externalID(record, by.Client, e.document)...)
	return err == nil && len(operations) == 0
}

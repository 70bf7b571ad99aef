package reconcile_test

import (
	"context"
	"maps"
	"slices"

	"github.com/holdline/holdline/internal/claim"
	"github.com/holdline/holdline/internal/scim"
)

// kratos is a directory in memory, which lists identities as Kratos does.
type kratos struct {
	identities map[string]scim.Record
	hidden     map[string]bool // slip between two pages
	// listing and reading come before a page or a read is answered, with its number.
	listing, reading func(n int) error
	lists, reads     int
	stuck            bool // every page names itself as the next
}

func (k *kratos) Page(_ context.Context, token string, size int) ([]scim.Record, string, error) {
	k.lists++
	if k.listing != nil {
		if err := k.listing(k.lists); err != nil {
			return nil, "", err
		}
	}
	if k.stuck {
		return nil, "again", nil
	}
	var page []scim.Record
	for _, id := range slices.Sorted(maps.Keys(k.identities)) {
		if id <= token || k.hidden[id] {
			continue
		}
		if len(page) == size {
			return page, page[size-1].ID, nil
		}
		page = append(page, k.identities[id])
	}
	return page, "", nil
}

func (k *kratos) Record(_ context.Context, id string) (scim.Record, error) {
	k.reads++
	if k.reading != nil {
		if err := k.reading(k.reads); err != nil {
			return scim.Record{}, err
		}
	}
	record, ok := k.identities[id]
	if !ok {
		return scim.Record{}, claim.ErrNoIdentity
	}
	return record, nil
}

// save makes an identity or changes it.
func (k *kratos) save(id, userName string) {
	k.identities[id] = scim.Record{ID: id, SchemaID: "person", Traits: map[string]any{"userName": userName}}
}

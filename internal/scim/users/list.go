package users

import (
	"context"
	"errors"
	"time"

	"github.com/holdline/holdline/internal/claim"
	"github.com/holdline/holdline/internal/scim"
	"github.com/holdline/holdline/internal/scim/filter"
)

// Search is what a list is asked for.
type Search struct {
	Filter     *filter.Filter // nil for everybody
	SortBy     string         // an attribute's path; blank for the index's own order
	Descending bool
	Offset     int // from 0
	Limit      int // 0 asks for the total only
	// Walk asks for a page by cursor; nil for one by its offset.
	Walk *scim.Walk
}

// Page is a list's answer.
type Page struct {
	Total int    // by cursor -1 if it is not known
	Next  string // by cursor: where the next page begins; blank on the last
	Users []User
}

// most bounds how many users of one answer are looked up in Kratos.
const most = 5

// List answers from the index, and with [scim.ErrIncomplete] until that is complete,
// unless a filter means one user who is found. A single user who is looked up, by id, userName,
// externalId or e-mail address, is looked up in Kratos too, so that clients that
// ask before they create or change somebody get no old answer.
func (s *Service) List(ctx context.Context, by By, search Search) (Page, error) {
	query := s.indexing.Query(search.Filter, search.SortBy)
	query.Client, query.Descending = by.Client, search.Descending
	query.Offset, query.Limit, query.Walk = search.Offset, search.Limit, search.Walk
	wanted := s.single(search.Filter)
	if id, ok := wanted["id"]; ok {
		return s.byID(ctx, by, search, id)
	}
	complete, err := s.complete(ctx) // before the index is asked, not after
	if err != nil {
		return Page{}, err
	}
	page, err := s.Index.Query(ctx, query)
	if err != nil {
		return Page{}, err
	}
	if len(wanted) > 0 {
		stale, err := s.confirm(ctx, page, wanted, search.Offset == 0)
		if err != nil {
			return Page{}, err
		}
		if stale {
			if page, err = s.Index.Query(ctx, query); err != nil {
				return Page{}, err
			}
		}
	}
	if !complete && (page.Total == 0 || wanted["userName"] == "" && wanted["externalId"] == "") {
		return Page{}, scim.ErrIncomplete
	}
	list := Page{Total: page.Total, Next: page.Next}
	for _, entry := range page.Entries {
		user, err := s.user(entry, by.Client)
		if err != nil {
			return Page{}, err
		}
		list.Users = append(list.Users, user)
	}
	return list, nil
}

// lookAgain is how often a request that waits for the index looks.
const lookAgain = 50 * time.Millisecond

// complete reports whether the index is, or is soon.
func (s *Service) complete(ctx context.Context) (bool, error) {
	over := time.NewTimer(s.Completing)
	defer over.Stop()
	for {
		complete, err := s.Index.Complete(ctx)
		if complete || err != nil {
			return complete, err
		}
		again := time.NewTimer(lookAgain)
		select {
		case <-again.C:
			continue
		case <-over.C:
		case <-ctx.Done():
		}
		again.Stop()
		return false, nil
	}
}

// single returns what a filter says of the one user that it means; nothing if it
// may mean several.
func (s *Service) single(f *filter.Filter) map[string]string {
	if f == nil {
		return nil
	}
	equal, ok := f.Equalities()
	if !ok {
		return nil
	}
	wanted := map[string]string{}
	for path, value := range equal {
		p, err := s.Resource.ParsePath(path)
		text, isText := value.(string)
		if err != nil || !isText {
			continue
		}
		switch name := p.String(); name {
		case "id", "userName", "externalId":
			wanted[name] = text
		case "emails", "emails.value":
			wanted["emails"] = text
		}
	}
	return wanted
}

// byID answers a filter that names an id.
func (s *Service) byID(ctx context.Context, by By, search Search, id string) (Page, error) {
	user, err := s.Get(ctx, by, id)
	if errors.Is(err, claim.ErrNoIdentity) || err == nil && !search.Filter.Matches(s.Resource, user.Document) {
		return Page{}, nil
	}
	if err != nil {
		return Page{}, err
	}
	page := Page{Total: 1}
	if search.Offset == 0 && search.Limit > 0 {
		page.Users = []User{user}
	}
	return page, nil
}

// confirm asks Kratos for those whom the index found, or for the one whom it did
// not find. It reports whether the index knew less.
func (s *Service) confirm(ctx context.Context, page scim.Page, wanted map[string]string, first bool) (stale bool, err error) {
	for _, entry := range page.Entries[:min(len(page.Entries), most)] {
		now, err := s.get(ctx, entry.ID, &entry)
		if errors.Is(err, claim.ErrNoIdentity) {
			stale = true
			continue
		}
		if err != nil {
			return false, err
		}
		stale = stale || now.Version != entry.Version
	}
	if page.Total > 0 || !first {
		return stale, nil
	}
	for _, name := range []string{"userName", "emails"} {
		identifier := wanted[name]
		if identifier == "" {
			continue
		}
		seen := s.Now()
		record, err := s.Directory.FindByIdentifier(ctx, identifier)
		if errors.Is(err, claim.ErrNoIdentity) {
			continue
		}
		if err != nil {
			return false, err
		}
		if _, err := s.found(ctx, record, seen, nil); err == nil {
			stale = true
		} else if !errors.Is(err, claim.ErrNoIdentity) {
			return false, err
		}
	}
	return stale, nil
}

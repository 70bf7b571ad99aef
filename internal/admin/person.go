package admin

import (
	"context"
	"errors"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/holdline/holdline/internal/claim"
	"github.com/holdline/holdline/internal/people"
)

// PersonSummary is a person as a list of them shows one.
type PersonSummary struct {
	IdentityID string
	Profile    people.Profile // with no more than the id while Kratos is away, or where they are gone
	Gone       bool
	Last       *claim.Claim // the newest; nil for none
}

// PeopleFound are the people whom somebody searched for.
type PeopleFound struct {
	People   []PersonSummary
	More     bool // there are others
	Building bool // the index is not complete yet
	Away     bool // Kratos does not answer
}

// mostFound is how many people a search shows. Who has more before them types more.
const mostFound = 20

// profilesAtOnce bounds how many questions Kratos gets at a time.
const profilesAtOnce = 8

// FindPeople returns whom somebody means: see [people.Keys.Read] for what may be typed.
// Error: people.ErrTooLittle.
func (d *Service) FindPeople(ctx context.Context, typed string) (PeopleFound, error) {
	found, err := d.People.Find(ctx, typed, mostFound)
	if err != nil {
		return PeopleFound{}, err
	}
	result := PeopleFound{People: make([]PersonSummary, len(found.IdentityIDs)), More: found.More, Building: found.Building, Away: found.Away}
	away := make([]bool, len(found.IdentityIDs))
	asking, asked := errgroup.WithContext(ctx)
	asking.SetLimit(profilesAtOnce)
	for i, id := range found.IdentityIDs {
		asking.Go(func() error {
			p := &result.People[i]
			p.IdentityID = id
			var err error
			p.Profile, err = d.Directory.Profile(asked, id)
			p.Profile.ID = id
			switch {
			case errors.Is(err, claim.ErrNoIdentity):
				p.Gone = true
			case errors.Is(err, claim.ErrIdentitiesUnavailable):
				away[i] = true
			case err != nil:
				return err
			}
			newest, err := d.Store.FindClaims(asked, ClaimQuery{IdentityIDs: []string{id}, Limit: 1})
			if err == nil && len(newest) > 0 {
				p.Last = &newest[0]
			}
			return err
		})
	}
	if err := asking.Wait(); err != nil {
		return PeopleFound{}, err
	}
	result.Away = result.Away || slices.Contains(away, true)
	result.People = slices.DeleteFunc(result.People, func(p PersonSummary) bool { return p.Gone && p.Last == nil })
	slices.SortStableFunc(result.People, func(a, b PersonSummary) int { return b.at().Compare(a.at()) })
	return result, nil
}

// Person is all that is known of one person.
type Person struct {
	IdentityID string
	Profile    people.Profile
	Gone, Away bool // nothing of the profile is known, because there is no such identity or Kratos does not answer
	Claims     []claim.Claim
	Alarms     []claim.Alarm // that nobody has decided on, newest first
	Events     []EventRecord // oldest first
	Texts      []TextRecord  // oldest first
	// Older says that there are more claims, or more that happened, than is shown.
	Older bool
}

// mostOfPerson bounds what a person's page shows of each kind.
const mostOfPerson = 200

// Person returns one person. Error: ErrNoPerson where there is neither an identity nor a trace of one.
func (d *Service) Person(ctx context.Context, identityID string) (Person, error) {
	p := Person{IdentityID: identityID}
	var err error
	p.Profile, err = d.Directory.Profile(ctx, identityID)
	p.Profile.ID = identityID
	switch {
	case errors.Is(err, claim.ErrNoIdentity):
		p.Gone = true
	case errors.Is(err, claim.ErrIdentitiesUnavailable):
		p.Away = true
	case err != nil:
		return Person{}, err
	}
	if p.Claims, err = d.Store.FindClaims(ctx, ClaimQuery{IdentityIDs: []string{identityID}, Limit: mostOfPerson}); err != nil {
		return Person{}, err
	}
	if p.Alarms, err = d.Store.FindAlarms(ctx, AlarmQuery{IdentityID: identityID, Open: true, Limit: mostOfPerson}); err != nil {
		return Person{}, err
	}
	if p.Events, err = d.Store.FindEvents(ctx, EventQuery{IdentityID: identityID, Limit: mostOfPerson}); err != nil {
		return Person{}, err
	}
	if p.Texts, err = d.Store.FindTexts(ctx, TextQuery{IdentityID: identityID, Limit: mostOfPerson}); err != nil {
		return Person{}, err
	}
	if p.Gone && len(p.Claims) == 0 && len(p.Events) == 0 {
		return Person{}, ErrNoPerson
	}
	p.Older = max(len(p.Claims), len(p.Events), len(p.Texts)) == mostOfPerson
	slices.Reverse(p.Events)
	slices.Reverse(p.Texts)
	return p, nil
}

// at is when the newest claim was made; zero for none.
func (p PersonSummary) at() time.Time {
	if p.Last == nil {
		return time.Time{}
	}
	return p.Last.CreatedAt
}

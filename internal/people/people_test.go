package people_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/holdline/holdline/internal/claim"
	"github.com/holdline/holdline/internal/people"
	"github.com/holdline/holdline/internal/phone"
	"github.com/holdline/holdline/internal/storetest"
)

var noon = time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)

const (
	bob   = "9f425a8d-7efc-4768-8f23-7647a74fdf13"
	alice = "1c6f1b6e-2f0a-4f2c-9c53-0f1f7f0c8b11"
)

// site is people with claims, and their index, with a clock that stands still until told to
// move.
type site struct {
	*testing.T
	store *storetest.Store
	index *storetest.People
	known *storetest.Directory
	keys  people.Keys
	now   time.Time
	made  int
}

func newSite(t *testing.T) *site {
	t.Helper()
	keys, err := people.NewKeys([]string{"a secret"})
	if err != nil {
		t.Fatal(err)
	}
	s := &site{T: t, store: storetest.NewStore(), index: &storetest.People{}, known: &storetest.Directory{}, keys: keys, now: noon}
	s.known.Put(people.Profile{
		Identity: claim.Identity{ID: bob, Mobile: "+491700000001"}, Name: "Bob Müller-Weiß", Names: []string{"Bob", "Müller-Weiß"},
		Emails: []string{"Bob.Mueller@Example.com"}, UserNames: []string{"bmueller"},
	})
	s.known.Put(people.Profile{Identity: claim.Identity{ID: alice}, Name: "Алиса", Names: []string{"Алиса Иванова"}, Emails: []string{"alice@example.com"}})
	return s
}

func (s *site) claim(id, number string) {
	s.Helper()
	s.made++
	c := claim.Claim{
		ID: fmt.Sprintf("claim-%04d", s.made), IdentityID: id, Number: phone.FromStore(number), State: claim.Applied,
		CreatedAt: s.now, EndedAt: s.now,
	}
	if err := s.store.Commit(s.Context(), claim.Change{Create: &c, At: s.now}); err != nil {
		s.Fatal(err)
	}
}

func (s *site) indexer() *people.Indexer {
	return &people.Indexer{Index: s.index, Claims: s.store, Directory: s.known, Keys: s.keys, Leases: s.store, Owner: "here", Now: func() time.Time { return s.now }}
}

// round indexes after a time.
func (s *site) round(after time.Duration) {
	s.Helper()
	s.now = s.now.Add(after)
	if err := s.indexer().Once(s.Context()); err != nil {
		s.Fatal(err)
	}
}

func (s *site) find(typed string) people.Result {
	s.Helper()
	finder := people.Finder{
		Index: s.index, Claims: s.store, Directory: s.known, Keys: s.keys,
		Plan: phone.Parser{Format: phone.FormatE164, Region: "DE"}, Now: func() time.Time { return s.now },
	}
	found, err := finder.Find(s.Context(), typed, 9)
	if err != nil {
		s.Fatalf("%q: %v", typed, err)
	}
	return found
}

func (s *site) finds(typed string, want ...string) {
	s.Helper()
	got := s.find(typed).IdentityIDs
	slices.Sort(got)
	slices.Sort(want)
	if diff := cmp.Diff(want, got); diff != "" {
		s.Errorf("%q differs (-want +got):\n%s", typed, diff)
	}
}

func TestPeopleAreFoundAsTheyAreSpokenOf(t *testing.T) {
	s := newSite(t)
	s.claim(bob, "+491711234567")
	s.claim(alice, "+4366012345678")
	s.round(time.Minute)
	for typed, want := range map[string][]string{
		"bob.mueller@example.com": {bob},
		"BOB.MUELLER@":            {bob},
		"mueller":                 {bob}, // of the address
		"muller":                  {bob}, // of the name
		"Müller-Weiss":            {bob},
		"  bob   MÜLLER ":         {bob},
		"b muller":                {bob},
		"bmue":                    {bob},
		"иван":                    {alice},
		"АЛИСА":                   {alice},
		"alice bob":               nil,
		"@example.com":            nil, // strangers alike
		"0171 1234567":            {bob},
		"+49 (171) 123-45-67":     {bob},
		"004366012345678":         {alice},
		"12345":                   {bob, alice},
		"345 678":                 {alice},
		"0171 1234":               {bob}, // as it is dialled there
		"4567":                    {bob, alice},
		"0001":                    {bob}, // the number that Kratos has
		"9999":                    nil,
		"1234 4567":               nil, // not in a row
		"+49********67":           {bob},
		"+49 *** *** **67":        {bob},
		"+49********99":           nil,
		bob:                       {bob},
		"STAFF/" + alice:          {"STAFF/" + alice},
	} {
		s.finds(typed, want...)
	}
	for _, typed := range []string{"", " ", "x", "123", "+49", "****", "+*****", "-", "\u200b", "."} {
		if _, err := s.keys.Read(phone.Parser{}, typed); !errors.Is(err, people.ErrTooLittle) {
			t.Errorf("%q: got %v", typed, err)
		}
	}
}

func TestNobodyWaitsForTheIndexOnceTheyAreSearchedByNumber(t *testing.T) {
	s := newSite(t)
	s.claim(bob, "+491711234567")
	s.finds("1234567", bob)
	s.finds("0171 1234567", bob)
	s.round(time.Second) // too young
	if s.known.Reads() != 0 {
		t.Error("Kratos was asked in the middle of a change")
	}
	s.finds("müller")
	s.finds("bmueller", bob) // he signs in so
	s.round(time.Minute)
	s.finds("müller", bob)
	s.finds("1234567", bob)
}

func TestNumbersAreKeptAsKeyedHashes(t *testing.T) {
	s := newSite(t)
	s.claim(bob, "+491711234567")
	s.round(time.Minute)
	entries, err := s.index.Entries(t.Context(), []string{bob})
	if err != nil {
		t.Fatal(err)
	}
	for _, term := range entries[bob].Terms {
		if strings.HasPrefix(term, "m+49***") {
			continue // as it is shown everywhere
		}
		for i := range len("1711234567") - 3 {
			if piece := "1711234567"[i : i+4]; strings.Contains(term, piece) {
				t.Errorf("the term %s has digits of the number", term)
			}
		}
	}
	other, err := people.NewKeys([]string{"another secret"})
	if err != nil {
		t.Fatal(err)
	}
	s.keys = other
	s.finds("1234567")
	s.finds("müller", bob)
}

func TestAReplacedSecretStillFindsWhoWasIndexedBefore(t *testing.T) {
	s := newSite(t)
	s.claim(bob, "+491711234567")
	s.round(time.Minute)
	keys, err := people.NewKeys([]string{"a new secret", "a secret"})
	if err != nil {
		t.Fatal(err)
	}
	s.keys = keys
	s.finds("1234567", bob)
	s.finds("+491711234567", bob)
	s.round(time.Minute) // hashes his numbers anew
	s.keys = keys[:1]
	s.finds("1234567", bob)
}

func TestTheIndexFollowsKratosAndForgets(t *testing.T) {
	s := newSite(t)
	s.claim(bob, "+491711234567")
	s.claim(alice, "+4366012345678")
	s.round(time.Minute)
	s.known.Put(people.Profile{Identity: claim.Identity{ID: bob}, Names: []string{"Robert Schmid"}})
	s.known.Remove(alice)
	s.round(time.Hour)
	s.finds("müller", bob) // not yet
	s.round(8 * 24 * time.Hour)
	s.finds("müller")
	s.finds("schmid", bob)
	s.finds("иван")
	s.finds("345678")
	if _, err := s.store.Prune(t.Context(), s.now, 9); err != nil {
		t.Fatal(err)
	}
	s.round(8 * 24 * time.Hour)
	s.finds("schmid")
}

func TestWhileKratosIsAwayNumbersAreFoundAndNamesLater(t *testing.T) {
	s := newSite(t)
	s.known.Fail(fmt.Errorf("%w: no route", claim.ErrIdentitiesUnavailable))
	s.claim(bob, "+491711234567")
	s.round(time.Minute)
	if found := s.find("bmueller"); !found.Away || len(found.IdentityIDs) > 0 {
		t.Errorf("got %+v, want nobody, and that Kratos is away", found)
	}
	s.finds("1234567", bob)
	s.known.Fail(nil)
	s.round(time.Minute)
	s.finds("müller", bob)
}

func TestTheIndexGoesOnWhereItWas(t *testing.T) {
	s := newSite(t)
	var ids []string
	for i := range 950 { // several batches, many in one instant
		id := fmt.Sprintf("person-%04d", i)
		s.known.Put(people.Profile{Identity: claim.Identity{ID: id}, Names: []string{fmt.Sprintf("Name%04d", i)}})
		s.claim(id, fmt.Sprintf("+49171%07d", i))
		ids = append(ids, id)
		if i%100 == 99 {
			s.now = s.now.Add(time.Second)
		}
	}
	if !s.find("1710000").Building {
		t.Error("nobody says that the index is not complete")
	}
	s.round(time.Minute)
	entries, err := s.index.Entries(t.Context(), ids)
	if err != nil || len(entries) != len(ids) {
		t.Fatalf("%d of %d are indexed, %v", len(entries), len(ids), err)
	}
	before := s.known.Reads()
	s.round(time.Minute)
	if got := s.known.Reads(); got != before {
		t.Errorf("with nothing to do, Kratos was asked %d times", got-before)
	}
	s.claim(ids[0], "+491710000000") // the number is known
	s.round(time.Minute)
	if got := s.known.Reads(); got != before {
		t.Errorf("for somebody known, Kratos was asked %d times", got-before)
	}
	s.claim(ids[0], "+491799999999")
	s.round(time.Minute)
	s.finds("99999999", ids[0])
}

package storetest

import (
	"slices"
	"testing"
	"time"

	"github.com/holdline/holdline/internal/admin"
	"github.com/holdline/holdline/internal/claim"
	"github.com/holdline/holdline/internal/phone"
)

// ArchivedStore is a store that administrators can look into.
type ArchivedStore interface {
	claim.Store
	admin.Store
}

// TestArchive holds a store to what the comments of admin.Store promise. Each
// call of newStore returns an empty one.
func TestArchive(t *testing.T, newStore func(*testing.T) ArchivedStore) {
	t.Helper()
	for name, test := range map[string]func(*archived){
		"claims are found by what is asked for":         claimsFound,
		"claims are found by their number":              claimsByNumber,
		"claims are found by their mask":                claimsByMask,
		"a number that is forgotten is not found":       claimsForgotten,
		"pages of claims lose and double nothing":       claimsPaged,
		"texts are found by what is asked for":          textsFound,
		"texts may end together":                        textsEndTogether,
		"a text tells what became of it":                textsTell,
		"a text's receipts are its own, oldest first":   textsReceipts,
		"pages of texts lose and double nothing":        textsPaged,
		"events are found by what is asked for":         eventsFound,
		"pages of events lose and double nothing":       eventsPaged,
		"an event that is recorded by itself is a line": eventsRecorded,
		"what waits is counted":                         waitingCounted,
		"numbers are counted by their beginning":        beginningsCounted,
		"alarms are found by what is asked for":         alarmsFound,
	} {
		t.Run(name, func(t *testing.T) {
			store := newStore(t)
			test(&archived{fixture: fixture{T: t, store: store}, archive: store})
		})
	}
}

// archived is a test's empty store and its short words for looking into it.
type archived struct {
	fixture
	archive admin.Store
	kept    []string
}

// claims lists the ids of the claims that are found.
func (f *archived) claims(q admin.ClaimQuery) []string {
	f.Helper()
	if q.Limit == 0 {
		q.Limit = 99
	}
	found, err := f.archive.FindClaims(f.Context(), q)
	f.want(err, nil)
	ids := []string{}
	for _, c := range found {
		ids = append(ids, c.ID)
	}
	return ids
}

// of asks for the claims of everybody whom keep has made claims for.
func (f *archived) of(q admin.ClaimQuery) []string {
	f.Helper()
	q.IdentityIDs = f.kept
	return f.claims(q)
}

// keep makes an ended claim of its own identity for a number, n seconds after noon.
func (f *archived) keep(id, number string, n int) {
	f.Helper()
	c := ended(id, "of "+id, noon)
	c.Number, c.CreatedAt = phone.FromStore(number), noon.Add(time.Duration(n)*time.Second)
	f.create(c)
	f.kept = append(f.kept, c.IdentityID)
}

func claimsFound(f *archived) {
	f.same(f.claims(admin.ClaimQuery{}), []string{})
	a, b, c := ended("a", bob, noon), open("b", bob), open("c", alice)
	a.CreatedAt, b.CreatedAt, c.CreatedAt = noon, noon.Add(time.Second), noon.Add(time.Second)
	for _, made := range []claim.Claim{b, c, a} {
		f.create(made)
	}
	number, both := phone.FromStore(first), []string{alice, bob}
	for name, tt := range map[string]struct {
		query admin.ClaimQuery
		want  []string
	}{
		"all, newest first":              {admin.ClaimQuery{}, []string{"c", "b", "a"}},
		"the newest":                     {admin.ClaimQuery{Limit: 1}, []string{"c"}},
		"behind one of the same instant": {admin.ClaimQuery{After: admin.Cursor{At: c.CreatedAt, ID: "c"}}, []string{"b", "a"}},
		"behind one that is gone":        {admin.ClaimQuery{After: admin.Cursor{At: c.CreatedAt, ID: "bb"}}, []string{"b", "a"}},
		"behind the last":                {admin.ClaimQuery{After: admin.Cursor{At: noon, ID: "a"}}, []string{}},
		"in a state":                     {admin.ClaimQuery{State: claim.Open}, []string{"c", "b"}},
		"in a state of none":             {admin.ClaimQuery{State: claim.Lapsed}, []string{}},
		"of a person":                    {admin.ClaimQuery{IdentityIDs: []string{bob}}, []string{"b", "a"}},
		"of nobody":                      {admin.ClaimQuery{IdentityIDs: []string{"nobody"}}, []string{}},
		"of a person in a state":         {admin.ClaimQuery{IdentityIDs: []string{bob}, State: claim.Open}, []string{"b"}},
		"of two people":                  {admin.ClaimQuery{IdentityIDs: []string{alice, bob, "nobody"}}, []string{"c", "b", "a"}},
		"of a number in a state":         {admin.ClaimQuery{Number: number, IdentityIDs: both, State: claim.Applied}, []string{"a"}},
		"of a person's number":           {admin.ClaimQuery{Number: number, IdentityIDs: []string{alice}}, []string{"c"}},
		"of a mask in a state":           {admin.ClaimQuery{Masked: number.String(), IdentityIDs: both, State: claim.Open}, []string{"c", "b"}},
		"of a person's mask":             {admin.ClaimQuery{Masked: number.String(), IdentityIDs: []string{bob}}, []string{"b", "a"}},
		"of a number and another's mask": {admin.ClaimQuery{Masked: "+49*******99", Number: number, IdentityIDs: both}, []string{}},
		"of a state behind another": {
			admin.ClaimQuery{State: claim.Open, After: admin.Cursor{At: c.CreatedAt, ID: "c"}},
			[]string{"b"},
		},
	} {
		f.Run(name, func(t *testing.T) {
			f := *f
			f.T = t
			f.same(f.claims(tt.query), tt.want)
		})
	}
	found, err := f.archive.FindClaims(f.Context(), admin.ClaimQuery{Limit: 9})
	f.want(err, nil)
	f.same(found, []claim.Claim{c, b, a})
}

func claimsByNumber(f *archived) {
	for i, number := range []string{
		"+491711111111", "+49 171 111-11-11", "+49(171)/111.11 11", "00491711111111", "+4917111111112", "+49171111111", "1711111111",
	} {
		f.keep(name("c", i), number, i)
	}
	for number, want := range map[string][]string{
		"+491711111111":    {"c-2", "c-1", "c-0"},
		"+49 (171) 111/11": {},
		"00491711111111":   {"c-3"},
		"+49171111111":     {"c-5"},
		"+49171111111%":    {},
		"+4917111111_1":    {},
	} {
		f.same(f.of(admin.ClaimQuery{Number: phone.FromStore(number)}), want)
	}
}

func claimsByMask(f *archived) {
	for i, number := range []string{
		"+491711111111", "+49 172 222 22 11", "+4917111111111", "+431711111111", "+491711111112",
		"12345678", "345678", "1234", "*21*99999#", "123456789", "12%_56789",
	} {
		f.keep(name("c", i), number, i)
	}
	for mask, want := range map[string][]string{
		"+49********11":    {"c-1", "c-0"}, // as many stars as characters are hidden
		" +49 *** ** **11": {},
		"+49*********11":   {"c-2"},
		"+43********11":    {"c-3"},
		"+49 *** ***** 11": {"c-1", "c-0"},
		"+49********12":    {"c-4"},
		"******78":         {"c-5"},
		"****78":           {"c-6"},
		"*21*****9#":       {"c-8"},
		"123****89":        {"c-9"},
		"12%****89":        {"c-10"},
		"1%*****89":        {},
		"%":                {},
		"%*":               {},
		"___****__":        {},
		"+49_*******11":    {},
		"+49%11":           {},
		`\%*******11`:      {},
		"'*":               {},
	} {
		if got := f.of(admin.ClaimQuery{Masked: mask}); !slices.Equal(got, want) {
			f.Errorf("%q finds %v, want %v", mask, got, want)
		}
	}
	for i, number := range []string{"+491711111111", "12345678", "*21*99999#", "12%_56789"} { // what is shown finds itself
		mask := phone.FromStore(number).String()
		if got := f.of(admin.ClaimQuery{Masked: mask}); len(got) == 0 {
			f.Errorf("number %d is not found by its mask %s", i, mask)
		}
	}
}

func claimsForgotten(f *archived) {
	c := f.create(open("c", bob))
	c.State, c.EndedAt = claim.Orphaned, noon
	f.commit(claim.Change{Transitions: []claim.Transition{{From: claim.Open, Claim: c, EraseIdentity: true}}, At: noon})
	f.same(f.claims(admin.ClaimQuery{IdentityIDs: []string{bob}, Number: c.Number}), []string{})
	f.same(f.claims(admin.ClaimQuery{IdentityIDs: []string{bob}, Masked: c.Number.String()}), []string{})
	f.same(f.claims(admin.ClaimQuery{State: claim.Orphaned}), []string{"c"})
}

// claimsPaged turns pages while claims come in: at the top, and, as clocks are
// not quite one, in the instant that is just being read.
func claimsPaged(f *archived) {
	number := phone.FromStore(first)
	made := 0
	add := func(at time.Time) string {
		c := ended(name("c", made), bob, noon)
		c.ID, c.CreatedAt = string(rune('a'+made*7%26))+c.ID, at
		made++
		return f.create(c).ID
	}
	for query, q := range map[string]admin.ClaimQuery{
		"all": {}, "state": {State: claim.Applied}, "person": {IdentityIDs: []string{bob}},
		"number":         {IdentityIDs: []string{bob}, Number: number},
		"mask and state": {IdentityIDs: []string{bob}, Masked: number.String(), State: claim.Applied},
	} {
		var want, got []string
		for i := range 11 {
			want = append(want, add(noon.Add(time.Duration(i/5)*time.Microsecond)))
		}
		kept := f.claims(q)
		for q.Limit = 3; ; {
			page, err := f.archive.FindClaims(f.Context(), q)
			f.want(err, nil)
			if len(page) == 0 {
				break
			}
			for _, c := range page {
				got = append(got, c.ID)
				q.After = admin.Cursor{At: c.CreatedAt, ID: c.ID}
			}
			add(noon.Add(day))
			if made%2 == 0 && made < 500 {
				add(noon.Add(time.Microsecond))
			}
		}
		once := slices.Compact(slices.Sorted(slices.Values(got)))
		if len(once) != len(got) {
			f.Errorf("%s: some came twice: %v", query, got)
		}
		for _, id := range append(want, kept...) {
			if !slices.Contains(got, id) {
				f.Errorf("%s: %s was lost", query, id)
			}
		}
	}
}

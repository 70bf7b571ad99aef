package people

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/holdline/holdline/internal/claim"
	"github.com/holdline/holdline/internal/phone"
)

// Finder finds people: those of the index, those whose claim is too young to be in it,
// and whoever signs in with just what was typed.
type Finder struct {
	Index     Index
	Claims    Claims
	Directory Directory
	Keys      Keys
	Plan      phone.Parser
	Now       func() time.Time
}

// Result is who was found.
type Result struct {
	Found
	// Building says that the index has far to go yet, so that some are missing.
	Building bool
	// Away says that Kratos did not answer, who knows those without claims.
	Away bool
}

// tail is how many claims that are not indexed yet are looked through.
const tail = 500

// Find returns at most limit people who fit what somebody typed: see [Keys.Read].
func (f *Finder) Find(ctx context.Context, typed string, limit int) (Result, error) {
	q, err := f.Keys.Read(f.Plan, typed)
	if err != nil {
		return Result{}, err
	}
	if q.IdentityID != "" {
		return Result{Found: Found{IdentityIDs: []string{q.IdentityID}}}, nil
	}
	result, err := f.search(ctx, q.Matches, limit)
	if err != nil {
		return Result{}, err
	}
	if q.Identifier != "" {
		id, err := f.Directory.Identify(ctx, q.Identifier)
		switch {
		case errors.Is(err, claim.ErrIdentitiesUnavailable):
			result.Away = true
		case errors.Is(err, claim.ErrNoIdentity):
		case err != nil:
			return Result{}, err
		default:
			result.add(id, limit)
		}
	}
	if len(result.IdentityIDs) == 0 && len(q.Otherwise) > 0 {
		away := result.Away
		result, err = f.search(ctx, q.Otherwise, limit)
		result.Away = away
	}
	return result, err
}

// ByNumber returns at most limit people who have, had or wanted a number.
func (f *Finder) ByNumber(ctx context.Context, number phone.Number, limit int) (Result, error) {
	return f.search(ctx, f.Keys.ByNumber(number), limit)
}

// ByMask returns at most limit people with a number that is shown so.
func (f *Finder) ByMask(ctx context.Context, masked string, limit int) (Result, error) {
	q, err := f.Keys.Read(f.Plan, masked)
	if err != nil {
		return Result{}, err
	}
	return f.search(ctx, q.Matches, limit)
}

func (f *Finder) search(ctx context.Context, all []Match, limit int) (Result, error) {
	reached, err := f.Index.Reached(ctx)
	if err != nil {
		return Result{}, err
	}
	found, err := f.Index.Search(ctx, all, limit)
	if err != nil {
		return Result{}, err
	}
	result := Result{Found: found}
	young, err := f.Claims.ClaimsFrom(ctx, reached, f.Now().Add(time.Minute), tail)
	if err != nil {
		return Result{}, err
	}
	result.Building = len(young) == tail
	for _, c := range young {
		if meets(f.Keys.Terms(Profile{}, []phone.Number{c.Number, c.Previous}), all) {
			result.add(c.IdentityID, limit)
		}
	}
	return result, nil
}

// add adds somebody before the others, unless they are there.
func (r *Result) add(id string, limit int) {
	if slices.Contains(r.IdentityIDs, id) {
		return
	}
	r.IdentityIDs = append([]string{id}, r.IdentityIDs...)
	if len(r.IdentityIDs) > limit {
		r.IdentityIDs, r.More = r.IdentityIDs[:limit], true
	}
}

// meets reports whether sorted terms meet all conditions.
func meets(terms []string, all []Match) bool {
	for _, m := range all {
		if !slices.ContainsFunc(m.Terms, func(term string) bool { return m.meets(terms, term) }) {
			return false
		}
	}
	return true
}

func (m Match) meets(terms []string, term string) bool {
	at, found := slices.BinarySearch(terms, term)
	return found || m.Prefix && at < len(terms) && len(terms[at]) > len(term) && terms[at][:len(term)] == term
}

// Meets reports whether an entry meets all conditions.
func (e Entry) Meets(all []Match) bool { return meets(e.Terms, all) }

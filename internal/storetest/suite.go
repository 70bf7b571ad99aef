package storetest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/holdline/holdline/internal/claim"
	"github.com/holdline/holdline/internal/message"
	"github.com/holdline/holdline/internal/phone"
)

// The suite's numbers, identities and moment. Times are arguments everywhere.
const (
	bob   = "9f425a8d-7efc-4768-8f23-7647a74fdf13"
	alice = "1c6f1b6e-2f0a-4f2c-9c53-0f1f7f0c8b11"
	old   = "+491710000000"
	first = "+491711111111"
	other = "+491722222222"
	home  = "2001:db8::1"
	day   = 24 * time.Hour
)

var noon = time.Date(2026, 11, 1, 12, 0, 0, 123456000, time.UTC)

// TestStore holds a store to what the comments of claim.Store promise. Each call
// of newStore returns an empty store.
func TestStore(t *testing.T, newStore func(*testing.T) claim.Store) {
	t.Helper()
	for name, test := range map[string]func(*fixture){
		"a claim reads back as it was made":           claimsReadBack,
		"current shows the living claims":             currentShowsLiving,
		"tries elsewhere are counted":                 triesElsewhere,
		"the claim that ended last is found":          lastEnded,
		"a move writes the next version":              movesWrite,
		"a move that comes late fails the change":     lateMoves,
		"an identity holds one claim":                 oneHeld,
		"a change makes room for itself":              supersession,
		"an id exists once":                           idsAreUnique,
		"forgotten numbers are gone":                  forgetting,
		"a try counts while the claim waits for it":   tries,
		"a try may come with a transition":            triesWithTransitions,
		"limits refuse the text":                      limitsRefuse,
		"limits refuse the claim that leads to one":   limitsRefuseClaims,
		"limits slide":                                limitsSlide,
		"an owner is texted though a number is full":  ownersAreServed,
		"racing owners stop exactly at a limit":       racingOwners,
		"notices stop at their limit":                 noticesAreLimited,
		"racing notices stop exactly at their limit":  racingNotices,
		"a lease excludes":                            leasesExclude,
		"a lease ends with its claim":                 leasesEndWithClaims,
		"a lease comes with a change":                 leasesComeWithChanges,
		"due claims come oldest first":                dueClaims,
		"ended claims are pruned in batches":          pruning,
		"a text reads back as it was queued":          textsReadBack,
		"due texts come newest first":                 dueTexts,
		"due texts that expired come first":           deadTexts,
		"due texts are postponed together":            postponedTexts,
		"a text is current while its claim waits":     currentTexts,
		"a text ends once":                            textsEnd,
		"the newest text tells its state":             textStates,
		"of two openings at once one wins":            racingOpenings,
		"of two stagings at once one wins":            racingStagings,
		"racing tries stop at the limit":              racingTries,
		"one right code races wrong ones":             racingRightCode,
		"of many takers one wins":                     racingTakers,
		"an identity's racing texts stop at a limit":  racingTexts,
		"texts that race stop exactly at a limit":     racingStrangers,
		"a fresh text is the first to its number":     freshTexts,
		"notices are queued beside a text":            notices,
		"ended claims leave a history":                histories,
		"the newest claim for a number":               newestOfANumber,
		"a form older than the number is refused":     staleForms,
		"nothing is staged while a number is written": stagingBesideVerified,
		"a claim that is to be the only one":          stagingVacant,
		"a text that is not answered":                 unanswered,
		"a lease goes back with a change":             releasing,
		"a calling code's budget is kept":             budgets,
		"tries on a number's earlier claims count":    triesBefore,
		"receipts tell what became of a text":         receiptsTell,
		"receipts match their gateway's message":      receiptsMatch,
		"a receipt that comes again is kept once":     receiptsAreKeptOnce,
		"old receipts are pruned in batches":          receiptsArePruned,
		"crossing changes both happen or one loses":   crossingChanges,
		"an alarm reads back as it was raised":        alarmsReadBack,
		"due alarms come oldest first":                dueAlarms,
		"an alarm blocks an identity's changes":       blockedChanges,
		"alarms forget with their identity":           alarmsForgotten,
		"any sequence does what a simple model does":  likeTheModel,
	} {
		t.Run(name, func(t *testing.T) { test(&fixture{T: t, store: newStore(t)}) })
	}
}

// fixture is a test's empty store and its short words for it.
type fixture struct {
	*testing.T
	store claim.Store
}

// commit makes a change that must succeed.
func (f *fixture) commit(change claim.Change) {
	f.Helper()
	f.want(f.store.Commit(f.Context(), change), nil)
}

// create makes a claim that must be made.
func (f *fixture) create(c claim.Claim) claim.Claim {
	f.Helper()
	f.commit(claim.Change{Create: &c, At: c.CreatedAt})
	return c
}

// move makes a single move that must succeed, and returns the claim as it is now.
func (f *fixture) move(from claim.State, to claim.Claim) claim.Claim {
	f.Helper()
	f.commit(claim.Change{Transitions: []claim.Transition{{From: from, Claim: to}}, At: noon})
	to.Version++
	return to
}

func (f *fixture) want(got, want error) {
	f.Helper()
	if !errors.Is(got, want) {
		f.Fatalf("got error %v, want %v", got, want)
	}
}

func (f *fixture) current(identityID string) claim.IdentityClaims {
	f.Helper()
	snapshot, err := f.store.Current(f.Context(), identityID, noon.Add(-day))
	f.want(err, nil)
	return snapshot
}

// same compares claims, texts and snapshots, their numbers too.
func (f *fixture) same(got, want any) {
	f.Helper()
	plain := cmp.Transformer("reveal", phone.Number.Unmasked)
	if diff := cmp.Diff(want, got, plain); diff != "" {
		f.Errorf("differs (-want +got):\n%s", diff)
	}
}

// together calls a function n times at once and returns the errors.
func together(ctx context.Context, n int, call func(context.Context, int) error) []error {
	errs := make([]error, n)
	start := make(chan struct{})
	var wait sync.WaitGroup
	for i := range n {
		wait.Go(func() {
			<-start
			errs[i] = call(ctx, i)
		})
	}
	close(start)
	wait.Wait()
	return errs
}

// wantWinners counts successes; the rest must have lost with the given error.
func (f *fixture) wantWinners(errs []error, winners int, lost error) {
	f.Helper()
	for _, err := range errs {
		if err == nil {
			winners--
		} else if !errors.Is(err, lost) {
			f.Errorf("got error %v, want %v", err, lost)
		}
	}
	if winners != 0 {
		f.Errorf("%d winners too few", winners)
	}
}

func staged(id, identityID string) claim.Claim {
	return claim.Claim{
		ID: id, IdentityID: identityID, FlowID: "flow-" + id, Source: claim.SourceSettings,
		Number: phone.FromStore(first), Previous: phone.FromStore(old), PreviousVerified: true, Assurance: claim.AAL2, State: claim.Staged,
		LastAddress: home, CreatedAt: noon, DueAt: noon.Add(5 * time.Second),
	}
}

func open(id, identityID string) claim.Claim {
	c := staged(id, identityID)
	c.State, c.CodeKey, c.CodeNumber, c.Texts = claim.Open, "n6.key", 1, 1
	c.CodeExpires, c.NextText = noon.Add(5*time.Minute), noon.Add(30*time.Second)
	c.LapsesAt, c.DueAt = noon.Add(day), noon.Add(day)
	return c
}

func ended(id, identityID string, at time.Time) claim.Claim {
	c := open(id, identityID)
	c.State, c.EndedAt, c.DueAt = claim.Applied, at, time.Time{}
	return c
}

func textFor(id string, c claim.Claim) *message.Text {
	return &message.Text{
		ID: id, Kind: message.TextCode, Channel: message.ChannelSMS, IdentityID: c.IdentityID, To: c.Number, Code: c.Code(), Expires: c.CodeExpires,
		Validity: 5 * time.Minute, Language: "de-CH", ClientIP: home, CreatedAt: noon, LeaseUntil: noon.Add(20 * time.Second),
	}
}

func name(prefix string, i int) string { return fmt.Sprintf("%s-%d", prefix, i) }

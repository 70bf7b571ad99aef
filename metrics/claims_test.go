package metrics_test

import (
	"errors"
	"testing"
	"time"

	"github.com/holdline/holdline/internal/audit"
	"github.com/holdline/holdline/internal/claim"
	"github.com/holdline/holdline/internal/message"
	"github.com/holdline/holdline/internal/phone"
	"github.com/holdline/holdline/internal/problem"
	"github.com/holdline/holdline/internal/ratelimit"
	"github.com/holdline/holdline/internal/storetest"
	"github.com/holdline/holdline/metrics"
)

func TestAChangeIsCountedFromFormToKratos(t *testing.T) {
	w := newWorld(t)
	w.submit(m1)
	who := claim.Caller{IdentityID: bob}
	if err := w.Confirm(t.Context(), who, "000000"); !errors.Is(err, claim.ErrWrongCode) {
		t.Fatal(err)
	}
	if err := w.Confirm(t.Context(), who, w.code()); err != nil {
		t.Fatal(err)
	}
	w.want(1, "holdline_hook_decisions_total", "hook", "stage", "outcome", "challenge")
	w.want(1, "holdline_hook_decisions_total", "hook", "activate", "outcome", "done")
	w.want(1, "holdline_claims_total", "outcome", "open")
	w.want(1, "holdline_claims_total", "outcome", "verified")
	w.want(1, "holdline_claims_total", "outcome", "applied")
	w.want(0, "holdline_claims_total", "outcome", "lapsed")
	w.want(1, "holdline_code_tries_total", "outcome", "wrong")
	w.want(1, "holdline_code_tries_total", "outcome", "right")
}

func TestRefusalsAreCountedByTheirReason(t *testing.T) {
	w := newWorld(t)
	change := claim.SettingsChange{IdentityID: bob, FlowID: "f", Stored: m0, StoredVerified: true, Wanted: "12"}
	if _, err := w.Stage(t.Context(), change); !errors.Is(err, phone.ErrBadNumber) {
		t.Fatal(err)
	}
	w.want(1, "holdline_hook_decisions_total", "hook", "stage", "outcome", "bad_number")
	w.store.Fail(problem.ErrStoreUnavailable)
	change.Wanted = m1
	if _, err := w.Stage(t.Context(), change); !errors.Is(err, problem.ErrStoreUnavailable) {
		t.Fatal(err)
	}
	w.want(1, "holdline_hook_decisions_total", "hook", "stage", "outcome", "store_away")
	if err := w.Activate(t.Context(), claim.StoredFlow{IdentityID: bob, FlowID: "f", Mobile: m0, ShownPending: m1}); !errors.Is(err, problem.ErrStoreUnavailable) {
		t.Fatal(err)
	}
	w.want(1, "holdline_hook_decisions_total", "hook", "activate", "outcome", "store_away")
	w.want(0, "holdline_claims_total", "outcome", "open") // what was not committed did not happen
}

func TestLimitsAreCountedByName(t *testing.T) {
	w := newWorld(t)
	w.submit(m1)
	if err := w.Resend(t.Context(), claim.Caller{IdentityID: bob}); !errors.Is(err, claim.ErrTooSoon) {
		t.Fatal(err)
	}
	w.want(1, "holdline_limit_hits_total", "limit", "resend_cooldown")
	w.want(0, "holdline_limit_hits_total", "limit", "texts_per_claim")

	once := ratelimit.Limit{Most: 1, Window: time.Hour}
	for name, counted := range map[string]string{metrics.LimitPasswords: metrics.LimitPasswords, "unknown": "other"} {
		limiter := w.Limiter(name, &storetest.Limiter{})
		for range 3 {
			_ = limiter.Take(t.Context(), "bob", once, noon)
		}
		w.want(2, "holdline_limit_hits_total", "limit", counted)
	}
}

func TestWhatACodeWas(t *testing.T) {
	for name, tt := range map[string]struct {
		err  error
		want string
	}{
		"right":                             {nil, "right"},
		"right for a number that was taken": {claim.ErrNumberTaken, "right"},
		"wrong":                             {claim.ErrWrongCode, "wrong"},
		"expired":                           {claim.ErrCodeExpired, "expired"},
		"no tries left":                     {&problem.LimitError{Reason: ratelimit.ErrTooManyTries}, "locked"},
		"an old session":                    {claim.ErrSessionTooOld, "refused"},
		"the store is away":                 {problem.ErrStoreUnavailable, "error"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := metrics.CodeOutcome(tt.err); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestEventsAreCountedAsTheAuditTrailNamesThem(t *testing.T) {
	m := newMeter(t)
	change := claim.Change{At: noon, Events: []audit.Event{{Kind: "disputed"}, {Kind: "resent"}, {Kind: "of a later release"}}}
	m.OnCommit(t.Context(), change, []message.Text{{ID: "notice"}})
	for _, outcome := range []string{"disputed", "resent", "notice_withheld", "other"} {
		m.want(1, "holdline_claims_total", "outcome", outcome)
	}
	m.want(1, "holdline_limit_hits_total", "limit", claim.LimitNumberNotices)
}

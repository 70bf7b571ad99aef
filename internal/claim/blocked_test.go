package claim_test

import (
	"testing"
	"time"

	"github.com/holdline/holdline/internal/audit"
	"github.com/holdline/holdline/internal/claim"
)

// While changes are blocked a client is never refused: its number is held back without
// a text, whatever would have been done with it, and a removal is left out. People are
// refused, privileged ones too.
func TestAClientsNumberIsHeldWhileChangesAreBlocked(t *testing.T) {
	client := func(c scimChange) scimChange {
		c.who, c.client = audit.Client, true
		return c
	}
	for name, tt := range map[string]struct {
		policy  func(*claim.Policy)
		change  scimChange
		want    error
		pending string // shown afterwards; m0 stays in every case
		trail   string
	}{
		"written without a code":     {change: client(scimChange{touch: claim.UpdateExplicit, wanted: m2}), pending: m2, trail: "open"},
		"verified on demand":         {change: client(ask(m2)), pending: m2, trail: "open"},
		"verified always":            {policy: func(p *claim.Policy) { p.VerifyAlways = true }, change: client(scimChange{touch: claim.UpdateFull, wanted: m2}), pending: m2, trail: "open"},
		"a removal":                  {change: client(scimChange{touch: claim.UpdateExplicit}), trail: claim.NumberLeftOut},
		"the feature off":            {policy: func(p *claim.Policy) { p.Enabled = false }, change: client(scimChange{touch: claim.UpdateExplicit, wanted: m2}), trail: claim.NumberLeftOut},
		"the same number":            {change: client(scimChange{touch: claim.UpdateFull, wanted: m1})},
		"the owner, without a code":  {change: scimChange{touch: claim.UpdateExplicit, wanted: m2}, want: claim.ErrChangesBlocked},
		"the owner, with one":        {change: ask(m2), want: claim.ErrChangesBlocked},
		"the owner, a removal":       {change: scimChange{touch: claim.UpdateExplicit}, want: claim.ErrChangesBlocked},
		"a privileged person":        {change: scimChange{who: audit.Privileged, touch: claim.UpdateExplicit, wanted: m2}, want: claim.ErrChangesBlocked},
		"the owner, the same number": {change: scimChange{touch: claim.UpdateFull, wanted: m1}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.policy.Notices = claim.Notices{OldNumber: true, Window: time.Hour, Block: 24 * time.Hour}
			w.submit(bob, "one", m1)
			wantErr(t, w.confirm(bob, w.codeText()), nil)
			w.dispute(w.lastLink(), "changed alarm")
			sent := len(w.sent)
			if tt.policy != nil {
				tt.policy(&w.policy)
			}
			_, err := w.provision(tt.change)
			wantErr(t, err, tt.want)
			w.wantIdentity(m1, true, tt.pending)
			if len(w.sent) != sent {
				t.Errorf("texted %v", w.sent[sent:])
			}
			if tt.trail != "" && w.kinds(tt.trail) == 0 {
				t.Errorf("the audit trail lacks %s", tt.trail)
			}
			if tt.pending == "" {
				return
			}
			wantErr(t, w.Resend(t.Context(), w.caller(bob)), claim.ErrChangesBlocked)
			w.pass(23*time.Hour + 59*time.Minute) // the claim lapses with the block; a little before that it is still held
			wantErr(t, w.Resend(t.Context(), w.caller(bob)), claim.ErrChangesBlocked)
			lifter := w.caller(bob)
			lifter.Assurance = claim.AAL2
			wantErr(t, w.LiftBlock(t.Context(), lifter), nil)
			wantErr(t, w.Resend(t.Context(), w.caller(bob)), nil)
			wantErr(t, w.confirm(bob, w.codeText()), nil)
			w.wantIdentity(m2, true, "")
		})
	}
}

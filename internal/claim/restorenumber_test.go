package claim_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/holdline/holdline/internal/audit"
	"github.com/holdline/holdline/internal/claim"
	"github.com/holdline/holdline/internal/message"
	"github.com/holdline/holdline/internal/phone"
)

func TestTheNumberOfBeforeIsPutBackAsItWas(t *testing.T) {
	keeper := audit.Actor{Kind: audit.Administrator, ID: "keeper"}
	for name, tt := range map[string]struct {
		verified bool
		before   string
		now      claim.Identity
	}{
		"verified":          {true, m0, claim.Identity{ID: bob, Mobile: m1, Verified: true}},
		"not verified":      {false, m0, claim.Identity{ID: bob, Mobile: m1, Verified: true}},
		"after yet another": {true, m0, claim.Identity{ID: bob, Mobile: m2, Verified: true}},
		"while one waits":   {true, m0, claim.Identity{ID: bob, Mobile: m1, Verified: true, Pending: m2}},
		"there already":     {true, m0, claim.Identity{ID: bob, Mobile: m0, Verified: true}},
		"none before":       {false, "", claim.Identity{ID: bob, Mobile: m1, Verified: true}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.dir.Put(tt.now)
			alarm := claim.Alarm{
				ID: "denied", IdentityID: bob, Denied: message.TextChanged, Number: phone.FromStore(m1), Previous: phone.FromStore(tt.before),
				PreviousVerified: tt.verified, RaisedAt: w.Now(), Version: 1,
			}
			if err := w.store.Commit(t.Context(), claim.Change{Raise: &alarm, At: w.Now()}); err != nil {
				t.Fatal(err)
			}
			if err := w.RestoreNumber(t.Context(), "denied", keeper); err != nil {
				t.Fatal(err)
			}
			seen, err := w.dir.Identity(t.Context(), bob)
			if err != nil || seen.Mobile != tt.before || seen.Verified != tt.verified {
				t.Errorf("got %+v, %v", seen, err)
			}
			after, err := w.store.Alarm(t.Context(), "denied")
			if err != nil || after.Outcome != claim.AlarmRestored || after.ClosedBy != "keeper" {
				t.Errorf("got %+v, %v", after, err)
			}
			if err := w.RestoreNumber(t.Context(), "denied", keeper); !errors.Is(err, claim.ErrAlarmClosed) {
				t.Errorf("once more: got %v", err)
			}
			// A form that began with the other number is stale now.
			last, err := w.store.Applied(t.Context(), bob)
			if moved := tt.now.Mobile != tt.before; err != nil || moved != (last != nil) {
				t.Errorf("got the claim %+v, %v", last, err)
			}
		})
	}
	w := newWorld(t)
	if err := w.RestoreNumber(t.Context(), "none", keeper); !errors.Is(err, claim.ErrNoAlarm) {
		t.Errorf("got %v", err)
	}
}

// closing closes a case just before its number is written.
type closing struct {
	claim.Identities
	before func()
}

func (c closing) ApplyNumber(ctx context.Context, id string, number phone.Number, marked bool) error {
	c.before()
	return c.Identities.ApplyNumber(ctx, id, number, marked)
}

// A number that is put back while somebody else closes the case is told of all the same.
func TestANumberIsNotPutBackInSecret(t *testing.T) {
	keeper, other := audit.Actor{Kind: audit.Administrator, ID: "keeper"}, audit.Actor{Kind: audit.Administrator, ID: "other"}
	w := newWorld(t)
	w.dir.Put(claim.Identity{ID: bob, Mobile: m1, Verified: true})
	alarm := claim.Alarm{
		ID: "denied", IdentityID: bob, Denied: message.TextChanged, Number: phone.FromStore(m1), Previous: phone.FromStore(m0),
		PreviousVerified: true, RaisedAt: w.Now(), Version: 1,
	}
	wantErr(t, w.store.Commit(t.Context(), claim.Change{Raise: &alarm, At: w.Now()}), nil)
	w.Identities = closing{w.dir, func() { wantErr(t, w.CloseAlarm(t.Context(), "denied", claim.AlarmClosed, other), nil) }}
	wantErr(t, w.RestoreNumber(t.Context(), "denied", keeper), nil)
	after, err := w.store.Alarm(t.Context(), "denied")
	if err != nil || after.Outcome != claim.AlarmClosed || after.ClosedBy != "other" {
		t.Errorf("got %+v, %v", after, err)
	}
	last, err := w.store.Applied(t.Context(), bob)
	if err != nil || last == nil || last.Number.Unmasked() != m0 || w.kinds(claim.NumberPutBack) != 1 {
		t.Errorf("got the claim %+v, %v, %d lines", last, err, w.kinds(claim.NumberPutBack))
	}
	wantErr(t, w.RestoreNumber(t.Context(), "denied", keeper), claim.ErrAlarmClosed)
}

// The number that this ends is told as any other, once, with a link that denies it: it may be the
// owner's, and who complained somebody with their old phone.
func TestANumberThatAnAdministratorEndsIsTold(t *testing.T) {
	keeper := audit.Actor{Kind: audit.Administrator, ID: "keeper"}
	for name, tt := range map[string]struct {
		crashed bool // after the number was written
		had     claim.Identity
		told    string
	}{
		"verified":                  {false, claim.Identity{ID: bob, Mobile: m1, Verified: true}, "changed sms " + m1},
		"not verified":              {false, claim.Identity{ID: bob, Mobile: m2}, ""},
		"written by an operator":    {false, claim.Identity{ID: bob, Mobile: m0}, "changed sms " + m1},
		"written, and then a crash": {true, claim.Identity{ID: bob, Mobile: m0, Verified: true}, "changed sms " + m1},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.policy.Notices = claim.Notices{OldNumber: true, Window: 72 * time.Hour}
			w.submit(bob, "flow", m1)
			wantErr(t, w.confirm(bob, w.codeText()), nil)
			alarm := w.dispute(w.lastLink(), "changed alarm").Alarm
			w.pass(time.Hour)
			w.dir.Put(tt.had)
			wantErr(t, w.RestoreNumber(t.Context(), alarm.ID, keeper), nil)
			want := []string{"changed sms " + m0}
			if tt.told != "" {
				want = append(want, tt.told)
			}
			w.wantTold(want...)
			w.wantIdentity(m0, true, "")
			if w.kinds(claim.NumberPutBack) != 1 {
				t.Error("the audit trail does not say it")
			}
			if tt.told != "" {
				w.wantDisputable(w.lastLink(), "changed")
			}
		})
	}
}

// A number that went long before the denied wish did not end with it: nobody is told of that, least
// of all whoever has that number by now.
func TestANumberThatWentBeforeTheDeniedWishIsNotTold(t *testing.T) {
	w := newWorld(t)
	w.policy.Notices = claim.Notices{OldNumber: true, Webhook: true, Window: 72 * time.Hour}
	w.submit(bob, "years ago", m2)
	wantErr(t, w.confirm(bob, w.codeText()), nil)
	w.pass(48 * time.Hour)
	w.dir.Put(claim.Identity{ID: bob, Mobile: m0, Verified: true}) // an operator, at Kratos
	w.submit(bob, "denied", m1)
	alarm := w.dispute(w.lastLink(), "pending alarm").Alarm
	before, err := w.store.Applied(t.Context(), bob)
	wantErr(t, err, nil)
	wantErr(t, w.RestoreNumber(t.Context(), alarm.ID, audit.Actor{Kind: audit.Administrator, ID: "keeper"}), nil)
	after, err := w.store.Applied(t.Context(), bob)
	wantErr(t, err, nil)
	if after.ID != before.ID || w.kinds(claim.NumberPutBack) != 1 {
		t.Errorf("%s is said to have ended now: %+v", m2, after)
	}
	w.wantTold("requested webhook "+m2, "changed sms "+m0, "changed webhook "+m2, "requested webhook "+m1, "disputed webhook "+m1)
}

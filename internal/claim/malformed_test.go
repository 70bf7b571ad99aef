package claim_test

import (
	"errors"
	"testing"
	"time"

	"github.com/holdline/holdline/internal/claim"
	"github.com/holdline/holdline/internal/textclean/spelling"
)

// Whatever cannot be a code is a wrong one, costs no try, and tells nothing of
// whether there is a claim or what became of it.
func TestWhatLooksLikeNoCodeCostsNoTryAndTellsNothing(t *testing.T) {
	for name, prepare := range map[string]func(*world){
		"nothing pending": func(*world) {},
		"a claim": func(w *world) {
			w.submit(bob, "flow", m1)
		},
		"an expired code": func(w *world) {
			w.submit(bob, "flow", m1)
			w.pass(6 * time.Minute)
		},
		"no tries left": func(w *world) {
			w.policy.DayAttempts = 1
			w.submit(bob, "flow", m1)
			wantErr(w.t, w.confirm(bob, w.wrongCode()), claim.ErrWrongCode)
		},
		"a number being written": func(w *world) {
			w.submit(bob, "flow", m1)
			w.dir.Fail(claim.ErrIdentitiesUnavailable)
			wantErr(w.t, w.confirm(bob, w.lastCode()), nil)
		},
		"a form on its way": func(w *world) {
			w.submit(bob, "flow", m1)
			w.pass(time.Minute)
			if _, err := w.stage(bob, "other", m2); err != nil {
				w.t.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			prepare(w)
			before, err := w.store.Current(t.Context(), bob, w.Now().Add(-24*time.Hour))
			if err != nil {
				t.Fatal(err)
			}
			for _, typed := range []string{"", " \u200b", "12345", "1234567", "12345a", "123 45", "+123456", "12345²", "hello"} {
				if err := w.confirm(bob, typed); !errors.Is(err, claim.ErrWrongCode) {
					t.Errorf("%q: got %v", typed, err)
				}
			}
			after, err := w.store.Current(t.Context(), bob, w.Now().Add(-24*time.Hour))
			if err != nil {
				t.Fatal(err)
			}
			if before.Active != nil && (after.Active == nil || after.Active.Attempts != before.Active.Attempts || after.Active.Version != before.Active.Version) {
				t.Errorf("the claim was %+v and is %+v", before.Active, after.Active)
			}
		})
	}
}

// A code counts as it was meant, by whoever types it.
func TestACodeIsRightInAnySpelling(t *testing.T) {
	for name, spelt := range map[string]func(code string) string{
		"no-break space": func(c string) string { return c[:3] + "\u00a0" + c[3:] },
		"zero width":     func(c string) string { return c[:3] + "\u200b" + c[3:] },
		"en dash":        func(c string) string { return c[:3] + "\u2013" + c[3:] },
		"line end":       func(c string) string { return c + "\r\n" },
		"embedding":      func(c string) string { return "\u202a" + c + "\u202c" },
		"full width":     func(c string) string { return spelling.Spell([]string{c}, '０', "", [2]string{}) },
		"Arabic-Indic":   func(c string) string { return spelling.Spell([]string{c}, '٠', "", [2]string{}) },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.submit(bob, "flow", m1)
			wantErr(t, w.confirm(bob, spelt(w.lastCode())), nil)
			w.wantIdentity(m1, true, "")
		})
	}
}

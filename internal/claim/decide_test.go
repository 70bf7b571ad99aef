package claim_test

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/holdline/holdline/internal/claim"
	"github.com/holdline/holdline/internal/phone"
)

// rows are the rows of docs/decision-table.md, each with cases of its own.
var (
	old, next, other = phone.FromStore("+491711111111"), phone.FromStore("+491722222222"), phone.FromStore("+491733333333")
	spelled          = phone.FromStore("+49 171 1111111")
	none             phone.Number
)

// decided is a case of the table: the change of a PATCH with verifyMobile by an
// owner whose verified number is old and who wants next.
type decided struct {
	row, name string
	change    func(*claim.Request)
	want      claim.Decision
}

var table = []decided{
	{"D1", "number not touched", func(r *claim.Request) { r.Update = claim.UpdateNone }, claim.NoChange},
	{"D1", "not touched, feature off", func(r *claim.Request) { r.Update, r.Enabled = claim.UpdateNone, false }, claim.NoChange},
	{"D1", "a form repeats the stored number", func(r *claim.Request) { r.Update, r.Wanted, r.Pending = claim.UpdateFull, old, next }, claim.NoChange},
	{"D1", "a form repeats it in another spelling", func(r *claim.Request) { r.Update, r.Wanted = claim.UpdateFull, spelled }, claim.NoChange},
	{"D1", "a PUT without a number where there is none", func(r *claim.Request) {
		r.Update, r.Wanted, r.Stored, r.Pending = claim.UpdateFull, none, none, next
	}, claim.NoChange},
	{"D1", "a client removes what is not there", func(r *claim.Request) { r.Client, r.Wanted, r.Stored, r.Pending = true, none, none, next }, claim.NoChange},
	{"D1", "the same, removal denied", func(r *claim.Request) {
		r.Client, r.Wanted, r.Stored, r.RemovalAllowed = true, none, none, false
	}, claim.NoChange},
	{"D1", "a client repeats the stored number, feature off", func(r *claim.Request) {
		r.Client, r.Enabled, r.Wanted, r.Pending = true, false, old, next
	}, claim.NoChange},
	{"D2", "feature off", func(r *claim.Request) { r.Enabled = false }, claim.WriteDirectly},
	{"D2", "feature off, by a client", func(r *claim.Request) { r.Enabled, r.Client = false, true }, claim.WriteDirectly},
	{"D2", "feature off, the owner repeats the stored number", func(r *claim.Request) { r.Enabled, r.Wanted = false, old }, claim.WriteDirectly},
	{"D2", "feature off, removal", func(r *claim.Request) { r.Enabled, r.Wanted, r.RemovalAllowed = false, none, false }, claim.WriteDirectly},
	{"D3", "removed", func(r *claim.Request) { r.Wanted = none }, claim.Remove},
	{"D3", "removed by a client", func(r *claim.Request) { r.Client, r.Wanted, r.Update = true, none, claim.UpdateFull }, claim.Remove},
	{"D3", "removed where there is none, but a claim is", func(r *claim.Request) { r.Wanted, r.Stored, r.Pending = none, none, next }, claim.Remove},
	{"D3", "removal denied", func(r *claim.Request) { r.Wanted, r.RemovalAllowed = none, false }, claim.RejectRemoval},
	{"D3", "removed without verifyMobile", func(r *claim.Request) { r.Wanted, r.Asked = none, false }, claim.Remove},
	{"D4", "taken back", func(r *claim.Request) { r.Wanted, r.Pending = old, next }, claim.CancelPending},
	{"D4", "in another spelling, nothing pending", func(r *claim.Request) { r.Wanted = spelled }, claim.CancelPending},
	{"D4", "without verifyMobile", func(r *claim.Request) { r.Wanted, r.Pending, r.Asked = old, next, false }, claim.CancelPending},
	{"D4b", "a client sends the stored number", func(r *claim.Request) { r.Client, r.Wanted, r.Pending = true, old, next }, claim.NoChange},
	{"D4b", "in another spelling", func(r *claim.Request) { r.Client, r.Wanted, r.Pending = true, spelled, next }, claim.NoChange},
	{"D4b", "without verifyMobile", func(r *claim.Request) { r.Client, r.Wanted, r.Pending, r.Asked = true, old, next, false }, claim.NoChange},
	{"D4b", "with privilege", func(r *claim.Request) { r.Client, r.Privileged, r.Wanted, r.Pending = true, true, old, next }, claim.NoChange},
	{"D4b", "the pending number", func(r *claim.Request) { r.Client, r.Pending = true, next }, claim.NoChange},
	{"D4b", "the pending number, as a PUT without verifyMobile", func(r *claim.Request) {
		r.Client, r.Pending, r.Asked, r.Update = true, next, false, claim.UpdateFull
	}, claim.NoChange},
	{"D4b", "the pending number, with privilege and the switch off", func(r *claim.Request) { r.Client, r.Privileged, r.Pending = true, true, next }, claim.NoChange},
	{"D4b", "the pending number, which is stored and not verified", func(r *claim.Request) {
		r.Client, r.Wanted, r.Pending, r.StoredVerified = true, old, old, false
	}, claim.NoChange},
	{"D4b", "the stored number, not verified, while another is pending", func(r *claim.Request) {
		r.Client, r.Wanted, r.Pending, r.StoredVerified = true, old, next, false
	}, claim.NoChange},
	{"D4b", "a privileged person sends the stored number", func(r *claim.Request) {
		r.Privileged, r.VerifyPrivileged, r.Wanted, r.Pending = true, true, old, next
	}, claim.NoChange},
	{"D6", "privileged, switch off", func(r *claim.Request) { r.Privileged = true }, claim.WriteUnverified},
	{"D6", "privileged client, switch off", func(r *claim.Request) { r.Privileged, r.Client, r.Pending = true, true, other }, claim.WriteUnverified},
	{"D6", "before D8", func(r *claim.Request) { r.Privileged, r.Pending, r.CoolingDown = true, next, true }, claim.WriteUnverified},
	{"D6", "the same number again, not verified", func(r *claim.Request) { r.Privileged, r.Wanted, r.StoredVerified = true, spelled, false }, claim.NoChange},
	{"D6", "the same, verified always, by a client", func(r *claim.Request) {
		r.Privileged, r.Client, r.VerifyAlways, r.Wanted, r.StoredVerified = true, true, true, old, false
	}, claim.NoChange},
	{"D6", "the same, while another is pending", func(r *claim.Request) {
		r.Privileged, r.Wanted, r.StoredVerified, r.Pending = true, old, false, next
	}, claim.NoChange},
	{"D5", "stored but not verified", func(r *claim.Request) { r.Wanted, r.StoredVerified = old, false }, claim.Challenge},
	{"D5", "always, not asked", func(r *claim.Request) { r.Wanted, r.StoredVerified, r.Asked, r.VerifyAlways = old, false, false, true }, claim.Challenge},
	{"D5", "by a client", func(r *claim.Request) { r.Wanted, r.StoredVerified, r.Client = old, false, true }, claim.Challenge},
	{"D5", "by a privileged actor, switch on", func(r *claim.Request) {
		r.Wanted, r.StoredVerified, r.Privileged, r.VerifyPrivileged = old, false, true, true
	}, claim.Challenge},
	{"D5", "of the owner, in the place of another claim", func(r *claim.Request) { r.Wanted, r.StoredVerified, r.Pending = old, false, next }, claim.Challenge},
	{"D7", "not asked", func(r *claim.Request) { r.Asked = false }, claim.WriteUnverified},
	{"D7", "not asked, by a client", func(r *claim.Request) { r.Asked, r.Client, r.Pending = false, true, other }, claim.WriteUnverified},
	{"D7", "stored, not verified and not asked", func(r *claim.Request) { r.Wanted, r.StoredVerified, r.Asked = old, false, false }, claim.WriteUnverified},
	{"D8", "same number at once", func(r *claim.Request) { r.Pending, r.CoolingDown = next, true }, claim.KeepPending},
	{"D8", "D5 retried at once", func(r *claim.Request) { r.Wanted, r.StoredVerified, r.Pending, r.CoolingDown = old, false, old, true }, claim.KeepPending},
	{"D9", "privileged, switch on", func(r *claim.Request) { r.Privileged, r.VerifyPrivileged = true, true }, claim.Challenge},
	{"D9", "not asked, always", func(r *claim.Request) { r.Asked, r.VerifyAlways = false, true }, claim.Challenge},
	{"D9", "settings never ask", func(r *claim.Request) { r.Asked, r.Source, r.Update = false, claim.SourceSettings, claim.UpdateFull }, claim.Challenge},
	{"D9", "same number later", func(r *claim.Request) { r.Pending = next }, claim.Challenge},
	{"D9", "another number at once", func(r *claim.Request) { r.Pending, r.CoolingDown = other, true }, claim.Challenge},
	{"D9", "a client brings a third number", func(r *claim.Request) { r.Client, r.Pending = true, other }, claim.Challenge},
	{"D9", "first number", func(r *claim.Request) { r.Stored, r.StoredVerified = none, false }, claim.Challenge},
}

func TestDecide(t *testing.T) {
	for _, tt := range table {
		t.Run(tt.row+" "+tt.name, func(t *testing.T) {
			request := claim.Request{
				Enabled: true, RemovalAllowed: true, Source: claim.SourceSCIM, Asked: true, Update: claim.UpdateExplicit,
				Wanted: next, Stored: old, StoredVerified: true,
			}
			tt.change(&request)
			if got := claim.Decide(request); got != tt.want {
				t.Errorf("got %d, want %d", got, tt.want)
			}
		})
	}
}

// TestTheDecisionTableIsTheCodes holds rows, their order and what they say of
// claim and text in docs/decision-table.md against Decide and its cases here.
func TestTheDecisionTableIsTheCodes(t *testing.T) {
	page, err := os.ReadFile("../../docs/decision-table.md")
	if err != nil {
		t.Fatal(err)
	}
	code, err := os.ReadFile("decide.go")
	if err != nil {
		t.Fatal(err)
	}
	var rows []string
	effects := map[string][2]string{}
	for _, cells := range regexp.MustCompile(`(?m)^\| (D\w+) \|.*\|.*\| (.*) \| (.*) \|$`).FindAllStringSubmatch(string(page), -1) {
		rows = append(rows, cells[1])
		effects[cells[1]] = [2]string{cells[2], cells[3]}
	}
	var inCode, inTests []string
	for _, comment := range regexp.MustCompile(`(?m)return \w+ // (D\w+)`).FindAllStringSubmatch(string(code), -1) {
		inCode = append(inCode, comment[1])
	}
	for _, tt := range table {
		inTests = append(inTests, tt.row)
		cells := effects[tt.row]
		text := tt.want == claim.Challenge
		if strings.HasPrefix(cells[1], "yes") != text {
			t.Errorf("%s %s: the page says of the text: %s", tt.row, tt.name, cells[1])
		}
		effect := map[claim.Decision]string{
			claim.NoChange: "kept", claim.KeepPending: "kept", claim.WriteDirectly: "cancelled", claim.Remove: "cancelled", claim.CancelPending: "cancelled",
			claim.WriteUnverified: "cancelled", claim.Challenge: "opened",
		}[tt.want]
		if !strings.Contains(cells[0], effect) {
			t.Errorf("%s %s: the page says of the claim: %s", tt.row, tt.name, cells[0])
		}
	}
	if got := slices.Compact(inCode); !slices.Equal(got, rows) {
		t.Errorf("decide.go has the rows %v, the page %v", got, rows)
	}
	if got := slices.Compact(inTests); !slices.Equal(got, rows) {
		t.Errorf("the cases have the rows %v, the page %v", got, rows)
	}
}

// decidedState is what a decision reads and changes of one identity.
type decidedState struct {
	stored, pending phone.Number
	verified        bool
}

// after is the state once a request was ruled on and done, and whether a claim
// was opened.
func (s decidedState) after(r claim.Request, ruling claim.Decision) (decidedState, bool) {
	switch ruling {
	case claim.WriteDirectly, claim.WriteUnverified, claim.Remove:
		return decidedState{stored: r.Wanted, verified: s.verified && r.Wanted.Same(s.stored)}, false
	case claim.CancelPending:
		s.pending = none
	case claim.Challenge:
		s.pending = r.Wanted
		return s, true
	case claim.NoChange, claim.KeepPending, claim.RejectRemoval:
	}
	return s, false
}

// requests calls do with every request that there can be, of three numbers and none.
func requests(do func(claim.Request)) {
	numbers := []phone.Number{none, old, next, other}
	for bits := range 1 << 9 {
		on := func(i int) bool { return bits>>i&1 == 1 }
		for _, wanted := range []phone.Number{none, old, spelled, next} {
			for _, stored := range numbers {
				for _, pending := range numbers {
					for _, touch := range []claim.UpdateKind{claim.UpdateFull, claim.UpdateExplicit} {
						do(claim.Request{
							Enabled: on(0), VerifyPrivileged: on(1), VerifyAlways: on(2), RemovalAllowed: on(3), Privileged: on(4),
							Client: on(5), Asked: on(6), CoolingDown: on(7) && !pending.IsZero(), StoredVerified: on(8) && !stored.IsZero(),
							Source: claim.SourceSCIM, Update: touch, Wanted: wanted, Stored: stored, Pending: pending,
						})
					}
				}
			}
		}
	}
}

// What a client repeats opens no second claim and changes nothing more, and it
// ends no claim but by a number, or none, that is neither the stored nor, unless
// verification is off, the pending one.
func TestWhatAClientRepeatsChangesNothing(t *testing.T) {
	requests(func(r claim.Request) {
		if !r.Client {
			return
		}
		before := decidedState{r.Stored, r.Pending, r.StoredVerified}
		ruling := claim.Decide(r)
		once, _ := before.after(r, ruling)
		news := !r.Wanted.Same(r.Stored) && (!r.Enabled || !r.Wanted.Same(r.Pending))
		if !news && once.pending != before.pending && !before.pending.IsZero() {
			t.Fatalf("%+v: the claim for %v ends (%d)", r, before.pending.Unmasked(), ruling)
		}
		if ruling == claim.RejectRemoval {
			return
		}
		r.Stored, r.StoredVerified, r.Pending = once.stored, once.verified, once.pending
		for _, r.CoolingDown = range []bool{true, false} {
			again := claim.Decide(r)
			twice, opened := once.after(r, again)
			if opened || !twice.stored.Same(once.stored) || twice.verified != once.verified || twice.pending != once.pending {
				t.Fatalf("%+v: %d is followed by %d", r, ruling, again)
			}
		}
	})
}

// No number is held by force of a repetition: nobody's verified number loses its
// mark by being sent again.
func TestAVerifiedNumberThatIsSentAgainStaysVerified(t *testing.T) {
	requests(func(r claim.Request) {
		if !r.Wanted.Same(r.Stored) || !r.StoredVerified {
			return
		}
		switch got := claim.Decide(r); got {
		case claim.NoChange, claim.CancelPending, claim.WriteDirectly:
		default:
			t.Fatalf("%+v: got %d", r, got)
		}
	})
}

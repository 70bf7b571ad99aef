package e2e_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/holdline/holdline/client"
	"github.com/holdline/holdline/e2e/harness"
)

// Whoever removes a verified number, or writes another without a code, and by
// whatever way: the number is told, by a link that says what happened and can be
// denied, and the audit trail says who it was.
func TestWhateverEndsAVerifiedNumberTellsIt(t *testing.T) {
	t.Parallel()
	s := harness.NewStack(t, harness.Options{Holdline: harness.Overlay{"sms": harness.Overlay{"product": "Acme"}}})
	provisioner, privileged := harness.ByClient(s.Token(t)), harness.ByClient(s.Token(t, "--privileged"))
	patch := func(p *harness.Person, w wish, who ...harness.Header) harness.Answer {
		if len(who) == 0 {
			return p.SCIM(t, http.MethodPatch, "/Me", w.body(t, p, http.MethodPatch))
		}
		return s.SCIM(t, http.MethodPatch, "/Users/"+p.ID, w.body(t, p, http.MethodPatch), who...)
	}
	const removed, changed = "Your Acme mobile number was removed.", "Your Acme mobile number was changed."
	const pageRemoved, pageChanged = "account was removed", "account was changed"
	for name, tt := range map[string]struct {
		number string
		do     func(p *harness.Person) int
		says   string
		page   string
		audit  string
	}{
		"a form removes it": {"+4915112345601", func(p *harness.Person) int {
			return p.Save(t, harness.Profile{Name: "Before"}).Status
		}, removed, pageRemoved, "number_removed by owner"},
		"a browser's form removes it": {"+4915112345602", func(p *harness.Person) int {
			return p.SaveByAJAX(t, harness.Profile{Name: "Before"}).Status
		}, removed, pageRemoved, "number_removed by owner"},
		"a PATCH of its owner removes it": {"+4915112345603", func(p *harness.Person) int {
			return patch(p, to("", "")).Status
		}, removed, pageRemoved, "number_removed by owner"},
		"a PUT of its owner leaves it out": {"+4915112345604", func(p *harness.Person) int {
			return p.SCIM(t, http.MethodPut, "/Me", wish{}.body(t, p, http.MethodPut)).Status
		}, removed, pageRemoved, "number_removed by owner"},
		"a client removes it": {"+4915112345605", func(p *harness.Person) int {
			return patch(p, to("", ""), provisioner).Status
		}, removed, pageRemoved, "number_removed by client"},
		"a client writes another": {"+4915112345606", func(p *harness.Person) int {
			return patch(p, to("+4915112345616", ""), provisioner).Status
		}, changed, pageChanged, "number_written by client"},
		"a privileged client writes another": {"+4915112345607", func(p *harness.Person) int {
			return patch(p, to("+4915112345617", "true"), privileged).Status
		}, changed, pageChanged, "number_written by privileged"},
	} {
		t.Run(name, func(t *testing.T) {
			p := s.NewPerson(t, tt.number)
			if status := tt.do(p); status != http.StatusOK {
				t.Fatalf("status %d", status)
			}
			if p.Identity(t).Traits.Mobile == tt.number {
				t.Fatal("the number is still there")
			}
			notice := waitForNotice(t, s, tt.number)
			link := denial.FindString(notice.Body)
			if !strings.HasPrefix(notice.Body, tt.says) || link == "" {
				t.Fatalf("the notice says %q", notice.Body)
			}
			if audit := s.Database.Audit(t, p.ID); !slices.Contains(audit, tt.audit) {
				t.Errorf("audit: %v, want %s", audit, tt.audit)
			}
			if looked := harness.Send(t, http.MethodGet, link, "", harness.Header{}); looked.Status != 200 || !strings.Contains(looked.Body, tt.page) {
				t.Errorf("the page: %d %s", looked.Status, looked.Body)
			}
			denied := harness.Send(t, http.MethodPost, link, "", harness.Header{"Content-Type", "application/x-www-form-urlencoded"})
			if denied.Status != http.StatusSeeOther {
				t.Errorf("the button: %d %s", denied.Status, denied.Body)
			}
			if after := harness.Send(t, http.MethodGet, link, ""); !strings.Contains(after.Body, `data-state="done"`) {
				t.Errorf("after the button: %d %s", after.Status, after.Body)
			}
		})
	}
}

// To remove the number and to add another as a first one is no way around the
// notice.
func TestRemoveAndAddIsNoWayAroundTheNotice(t *testing.T) {
	t.Parallel()
	s := harness.NewStack(t, harness.Options{})
	p := s.NewPerson(t, m0)
	p.MustSave(t, harness.Profile{Name: "Before"})
	waitForNotice(t, s, m0)
	wantEmpty(t, p.Confirm(t, p.Ask(t, m1).Code), 202)
	wantMade(t, p, m1)
	if n := len(s.Provider.Notices("")); n != 1 {
		t.Errorf("%d notices, want one", n)
	}
}

// The removal counts when Kratos has stored the form, whether or not Holdline
// hears of that; a form that Kratos refuses removes nothing.
func TestARemovalWhoseHookIsLostIsTold(t *testing.T) {
	t.Parallel()
	s := harness.NewStack(t, harness.Options{})
	refused := s.NewPerson(t, m1)
	if got := refused.Save(t, harness.Profile{Name: strings.Repeat("x", 41)}); got.Status != http.StatusBadRequest {
		t.Fatalf("a name that is too long: %d", got.Status)
	}
	p := s.NewPerson(t, m0)
	s.Hooks.On(harness.Rule{Path: "/hooks/settings/activate", Drop: true})
	p.MustSave(t, harness.Profile{Name: "Before"})
	waitForNotice(t, s, m0)
	if n := len(s.Provider.Notices(m1)); n != 0 {
		t.Errorf("a form that was refused made %d notices", n)
	}
	found, err := s.Holdline.Admin(s.Token(t, "--scope", "claims:manage")).SearchClaims(t.Context(), client.ClaimSearch{ClaimFilter: client.ClaimFilter{IdentityID: p.ID}})
	if err != nil || len(found.Items) != 1 {
		t.Fatalf("got %+v, %v", found, err)
	}
	if c := found.Items[0]; c.State != "applied" || !c.Direct || c.MobileNumber != "" || !c.FormerVerified {
		t.Errorf("the claim is %+v", c)
	}
}

// Whoever deletes an account over SCIM, and by whatever way: the audit trail says so,
// whether or not there was a claim.
func TestADeletionOverSCIMIsAudited(t *testing.T) {
	t.Parallel()
	s := harness.NewStack(t, harness.Options{})
	client := harness.ByClient(s.Token(t))
	for name, tt := range map[string]struct {
		number string
		asks   bool // another number is pending
		do     func(p *harness.Person) harness.Answer
		by     string
	}{
		"its owner": {"+4915112345621", false, func(p *harness.Person) harness.Answer {
			return p.SCIM(t, http.MethodDelete, "/Me", "")
		}, "user_deleted by owner"},
		"its owner, by HTTP Basic": {"+4915112345622", true, func(p *harness.Person) harness.Answer {
			return p.SCIMByPassword(t, http.MethodDelete, "/Users/"+p.ID, "")
		}, "user_deleted by owner"},
		"a client": {"", false, func(p *harness.Person) harness.Answer {
			return s.SCIM(t, http.MethodDelete, "/Users/"+p.ID, "", client)
		}, "user_deleted by client"},
		"a client, among others": {"+4915112345623", true, func(p *harness.Person) harness.Answer {
			return s.SCIM(t, http.MethodPost, "/Bulk", `{"Operations":[{"method":"DELETE","path":"/Users/`+p.ID+`"}]}`, client)
		}, "user_deleted by client"},
	} {
		p := s.NewPerson(t, tt.number)
		if tt.asks {
			p.Ask(t, "+49151123457"+tt.number[len(tt.number)-2:])
		}
		if got := tt.do(p); got.Status >= 300 {
			t.Errorf("%s: %d %s", name, got.Status, got.Body)
		}
		if audit := s.Database.Audit(t, p.ID); !slices.Contains(audit, tt.by) {
			t.Errorf("%s: audit is %v, want %s", name, audit, tt.by)
		}
	}
}

// A form that removes the number, was ruled on before a code came back and is stored
// after it ends the number that the code was for: that one is told.
func TestARemovalThatIsStoredAfterAConfirmationTellsTheConfirmedNumber(t *testing.T) {
	t.Parallel()
	s := harness.NewStack(t, harness.Options{})
	numbers := uniqueNumbers()
	for name, tt := range map[string]struct{ lost, unverified bool }{
		"activated": {}, "its activation is lost": {lost: true}, "the number before was not verified": {unverified: true},
	} {
		t.Run(name, func(t *testing.T) {
			was, now := numbers(), numbers()
			bob := s.NewAccount(t, harness.Account{Mobile: was, Unverified: tt.unverified})
			code := bob.Ask(t, now).Code
			arrived, letGo := holding(s, stagePath, true)
			defer letGo()
			saved := saving(t, bob, harness.Profile{Name: "Late"})
			<-arrived
			wantEmpty(t, bob.Confirm(t, code), http.StatusAccepted)
			if tt.lost {
				s.Hooks.On(harness.Rule{Path: activatePath, Times: 1, Drop: true})
			}
			letGo()
			if answer := saved(); answer.Status != http.StatusOK {
				t.Fatalf("the form: %d %s", answer.Status, answer.Body)
			}
			if notice := waitForNotice(t, s, now); !strings.HasPrefix(notice.Body, "Your Holdline mobile number was removed.") {
				t.Errorf("the notice says %q", notice.Body)
			}
			if audit := s.Database.Audit(t, bob.ID); !slices.Contains(audit, "number_removed by owner") {
				t.Errorf("audit: %v", audit)
			}
			if got := bob.Identity(t); got.Traits.Mobile != "" || got.Pending() != "" {
				t.Errorf("stored: %+v", got)
			}
			told := 1
			if tt.unverified {
				told = 0
			}
			if n := len(s.Provider.Notices(was)); n != told {
				t.Errorf("%d notices to the number before, want %d", n, told)
			}
		})
	}
}

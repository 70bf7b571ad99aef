package e2e_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/holdline/holdline/client"
	"github.com/holdline/holdline/e2e/harness"
)

// What was seen suggests which countries to text. Taken with a click, it holds at every replica, in
// each caller's protocol; what is pending goes on; and the audit trail undoes it.
func TestCountriesAreRestrictedByWhatWasSeen(t *testing.T) {
	t.Parallel()
	const austrian, other = "+436641234567", "+436641234568"
	s := harness.NewStack(t, harness.Options{Holdline: harness.Overlay{
		"identity_mgt": harness.Overlay{"user_claim_update": harness.Overlay{"use_verify_claim": false}},
		"limits":       harness.Overlay{"resend_cooldown": "0s"},
	}})
	second := s.Replica(t)
	token := s.Token(t, "--scope", "claims:manage")
	desk := second.Admin(token)
	bob, carol := s.NewPerson(t, m0), s.NewPerson(t, m4)
	pending := carol.Ask(t, austrian)

	sawChanges(t, s, map[string]int{"49": 950, "43": 10, "992": 0})
	seen, err := desk.Suggestions(t.Context())
	if err != nil || !slices.Equal(seen.AllowedCallingCodes, []string{"49"}) || !slices.Equal(seen.DeniedCallingCodes, []string{"992"}) || seen.Outside.Pending != 1 {
		t.Fatalf("suggested: %+v, %v", seen, err)
	}

	tab := enter(t, s, token)
	tab.Open(t, s.Holdline.AdminURL+consolePath+"traffic")
	tab.Await(t, "#suggestion", "the suggestion", false, says("+49 Germany"))
	tab.Sound(t, "console-suggestion")
	tab.Click(t, `#suggestion form button`)
	tab.Await(t, "h1", "it is asked whether that is meant", false, says("Text fewer countries?"))
	tab.Await(t, "form.card", "who is outside", false, says("1 pending change is"))
	tab.Sound(t, "console-suggestion-sure")
	tab.Phone(t)
	tab.Sound(t, "console-suggestion-sure-phone")
	tab.DesktopSize(t)
	tab.Click(t, `button.danger`)
	tab.Await(t, "#message", "it is saved", false, says("Saved."))

	allows := func(h *harness.Holdline, want ...string) {
		t.Helper()
		harness.Eventually(t, fmt.Sprintf("the countries are %v", want), func() error {
			got, err := h.Admin(token).Settings(t.Context())
			if err == nil && !slices.Equal(got.AllowedCallingCodes, want) {
				return errNotYet
			}
			return err
		})
	}
	allows(second, "49")
	refused := harness.Send(t, http.MethodPatch, second.PublicURL+"/scim2/Me",
		patchOf(`{"op":"replace","path":"phoneNumbers[type eq \"mobile\"].value","value":"`+other+`"}`),
		bob.ByToken(), harness.Header{"Content-Type", "application/scim+json"})
	if refused.Status != http.StatusBadRequest || !strings.Contains(refused.Body, "invalidValue") || !strings.Contains(refused.Body, "phoneNumbers") {
		t.Errorf("by SCIM, at the other replica: %d %s", refused.Status, refused.Body)
	}
	if form := bob.Save(t, harness.Profile{Name: "Bob", Mobile: other}); len(form.Field) == 0 {
		t.Errorf("the form says nothing of the number: %d %s", form.Status, form.Body)
	}
	wantTexts(t, s, other, 0)
	bob.Ask(t, m1)

	// What is pending is not texted again, and can be confirmed.
	if err := desk.ResendClaim(t.Context(), claimOf(t, desk, carol.ID)); err == nil || !strings.Contains(err.Error(), "HLD-40004") {
		t.Errorf("another text: %v", err)
	}
	wantEmpty(t, carol.Confirm(t, pending.Code), http.StatusAccepted)

	tab.Open(t, s.Holdline.AdminURL+consolePath+"audit?kind=setting_changed")
	tab.Await(t, "table", "the change with its values", false, says("mobile.allowed_calling_codes: all -> 49"))
	tab.Sound(t, "console-audit-undo")
	tab.Click(t, `button[name="event"]`)
	tab.Await(t, "#message", "it is undone", false, says("Taken back."))
	allows(s.Holdline)
	allows(second)
	bob.Ask(t, other)
}

// sawChanges counts changes of ten days ago by their calling code, of which so many were confirmed and
// 40 more asked for. The worker that counts comes to that hour after many rounds.
func sawChanges(t *testing.T, s *harness.Stack, confirmed map[string]int) {
	t.Helper()
	hour := time.Now().Add(-10*24*time.Hour).Unix() / 3600
	for code, n := range confirmed {
		s.Database.Server.Exec(t, fmt.Sprintf(
			"INSERT INTO %s.statistics (hour, subject, requested, confirmed, failed, withdrawn, wrong, sent, unsent, delay_us) VALUES (%d, 'code:%s', %d, %d, 0, 0, 0, 0, 0, 0)",
			s.Database.Name, hour, code, n+40, n))
	}
}

// claimOf is the id of somebody's newest claim.
func claimOf(t *testing.T, desk client.Client, identityID string) string {
	t.Helper()
	found, err := desk.Claims(t.Context(), client.ClaimFilter{IdentityID: identityID, Limit: 1})
	if err != nil || len(found.Items) != 1 {
		t.Fatalf("the claims: %+v, %v", found, err)
	}
	return found.Items[0].ID
}

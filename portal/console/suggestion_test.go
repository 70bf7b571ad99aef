package console_test

import (
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/holdline/holdline/internal/claim"
	"github.com/holdline/holdline/internal/phone"
	"github.com/holdline/holdline/internal/settings"
	"github.com/holdline/holdline/internal/statistics"
)

// counted puts a month of changes to a calling code into the statistics.
func (w *world) counted(code string, requested, confirmed int) {
	day := w.Now().Truncate(time.Hour).Add(-20 * 24 * time.Hour)
	w.statistics.Put(statistics.Hour{
		Start: day, Subject: statistics.CallingCode(code), Counts: statistics.Counts{Requested: requested, Confirmed: confirmed},
	})
}

// form reads the hidden fields of the page's form for an address, as a browser sends them.
func form(t *testing.T, page, action string) url.Values {
	t.Helper()
	fields := url.Values{}
	start := strings.Index(page, `action="`+action+`"`)
	if start < 0 {
		t.Fatalf("no form for %s in %s", action, visible(page))
	}
	body, _, _ := strings.Cut(page[start:], "</form>")
	for _, input := range regexp.MustCompile(`<input type="hidden" name="([^"]+)" value="([^"]*)">`).FindAllStringSubmatch(body, -1) {
		fields.Set(input[1], input[2])
	}
	return fields
}

// From what was seen to a restriction that holds, and back by its line of the audit trail.
func TestASuggestionIsTakenAndUndone(t *testing.T) {
	w := newWorld(t)
	w.counted("49", 900, 800)
	w.counted("43", 200, 190)
	w.counted("1", 12, 9)
	w.counted("882", 500, 0)
	w.claim(func(c *claim.Claim) { c.Number = phone.FromStore("+12125550100") })
	w.claim(func(c *claim.Claim) {
		c.IdentityID, c.Number, c.State, c.EndedAt = "other", phone.FromStore("+12125550101"), claim.Applied, w.Now()
	})
	b := w.administrator()
	says(t, b.get("/console/"), http.StatusOK, "+882 International service (0 of 500)", "99 % of what is confirmed is to +49 Germany, +43 Austria")
	page := b.get("/console/traffic?span=1h")
	says(t, page, http.StatusOK, "<strong>99 %</strong> of the 999 confirmed changes were to +49 Germany, +43 Austria", "+1 United States and 24 more (9 of 12)", "texts_per_calling_code_per_hour: 2700")

	taken := form(t, page.Body.String(), "/console/settings")
	page = b.post("/console/settings", taken)
	says(t, page, http.StatusOK, "Text fewer countries?", "+49 Germany", "<strong>1</strong> change of the last 30 days", "<strong>1</strong> pending change is")
	if len(w.settings.Events()) > 0 {
		t.Fatal("it was set before it was asked")
	}
	page = b.follow(b.post("/console/settings", form(t, page.Body.String(), "/console/settings")))
	says(t, page, http.StatusOK, "Saved.", `value="43, 49"`, "Set by <bdi>ops</bdi>")
	if err := w.board.Policy().Coverage.Check(phone.FromStore("+12125550102")); err == nil {
		t.Error("other countries are served still")
	}
	says(t, b.get("/console/traffic"), http.StatusOK, "Texts go to no more countries than nearly all of the changes of the last 20 days")
	events := w.settings.Events()
	if got, want := events[0].Reason, "mobile.allowed_calling_codes: all -> 43,49"; len(events) != 1 || got != want || events[0].Actor != ops {
		t.Fatalf("the audit trail says %+v, want %s", events, want)
	}

	if err := w.store.RecordEvent(t.Context(), events[0]); err != nil { // one database keeps both
		t.Fatal(err)
	}
	page = b.get("/console/audit?kind=setting_changed")
	id := regexp.MustCompile(`name="event" value="(\d+)"`).FindStringSubmatch(page.Body.String())
	if id == nil {
		t.Fatalf("nothing to undo on %s", visible(page.Body.String()))
	}
	undo := url.Values{"event": {id[1]}}
	says(t, b.follow(b.post("/console/settings/undo", undo)), http.StatusOK, "Taken back.")
	if got := w.board.Policy().Coverage.Allowed; len(got) > 0 {
		t.Errorf("%v is allowed still", got)
	}
	says(t, b.follow(b.post("/console/settings/undo", undo)), http.StatusOK, "the setting has changed again since")
	if strings.Contains(b.get("/console/audit").Body.String(), `name="event"`) {
		t.Error("what is overtaken is offered")
	}
	for _, bad := range []string{"", "0", "x", "99999", "9223372036854775807"} {
		says(t, b.post("/console/settings/undo", url.Values{"event": {bad}}), http.StatusBadRequest)
	}
}

func TestTextsThatNobodyConfirmsAreStopped(t *testing.T) {
	w := newWorld(t)
	w.counted("49", 30, 20)
	w.counted("882", 500, 0)
	b := w.administrator()
	page := b.get("/console/traffic")
	says(t, page, http.StatusOK, "20 confirmed changes in 20 days", "+882 International service (0 of 500)")
	page = b.post("/console/settings", form(t, page.Body.String(), "/console/settings"))
	says(t, page, http.StatusOK, "Text fewer countries?", "+882 International service", "all countries")
	b.post("/console/settings", form(t, page.Body.String(), "/console/settings"))
	if got := w.board.Policy().Coverage.Denied; !slices.Equal(got, []string{"882"}) {
		t.Errorf("got %v", got)
	}
	says(t, newWorld(t).administrator().get("/console/traffic"), http.StatusOK, "changes have been counted for 0 days")
}

// A longer beginning that is allowed would go on, and the longer one decides.
func TestTextsAreStoppedWhereAPartIsAllowed(t *testing.T) {
	w := newWorld(t)
	w.counted("882", 500, 0)
	parts := "49,88216"
	if err := w.board.Set(t.Context(), map[settings.Key]*string{settings.AllowedCodes: &parts}, ops); err != nil {
		t.Fatal(err)
	}
	b := w.administrator()
	page := b.post("/console/settings", form(t, b.get("/console/traffic").Body.String(), "/console/settings"))
	says(t, page, http.StatusOK, "Text fewer countries?")
	b.post("/console/settings", form(t, page.Body.String(), "/console/settings"))
	if err := w.board.Policy().Coverage.Check(phone.FromStore("+8821612345678")); err == nil {
		t.Error("they are texted still")
	}
	if page := b.get("/console/traffic").Body.String(); strings.Contains(page, "Text these no more") {
		t.Error("it is suggested still")
	}
}

func TestFaultyCountriesStandAtTheirField(t *testing.T) {
	w := newWorld(t)
	b := w.administrator()
	got := b.post("/console/settings", asShown(url.Values{"allowed_calling_codes": {"49, 4x"}, "was.allowed_calling_codes": {"all"}}))
	says(t, got, http.StatusBadRequest, "Nothing was saved yet", `no number begins with &#34;4x&#34;`, `value="49, 4x"`, `id="allowed_calling_codes-fault"`)
	// More countries need no asking, and neither do others' settings.
	codes := "49"
	if err := w.board.Set(t.Context(), map[settings.Key]*string{settings.AllowedCodes: &codes}, ops); err != nil {
		t.Fatal(err)
	}
	b.follow(b.post("/console/settings", url.Values{"allowed_calling_codes": {"49, 43"}, "was.allowed_calling_codes": {"49"}}))
	b.follow(b.post("/console/settings", url.Values{"allowed_calling_codes": {"all"}, "was.allowed_calling_codes": {"43, 49"}}))
	if got := w.board.Policy(); len(got.Coverage.Allowed) > 0 || !got.Enabled {
		t.Errorf("got %+v", got)
	}
}

// Returning to a start value may take service from people as well.
func TestReturningIsAskedWhereItTakesSomething(t *testing.T) {
	w := newWorld(t)
	w.policy.Coverage.Allowed, w.policy.Enabled = []string{"49"}, false
	w.board = settings.New(w.settings, w.policy, w.Now, w.opt.Log)
	w.opt.Settings, w.opt.Policy = w.board, w.board.Policy
	w.rebuild()
	all, on := "all", "true"
	if err := w.board.Set(t.Context(), map[settings.Key]*string{settings.AllowedCodes: &all, settings.Verify: &on}, ops); err != nil {
		t.Fatal(err)
	}
	b := w.administrator()
	for key, title := range map[settings.Key]string{settings.AllowedCodes: "Text fewer countries?", settings.Verify: "Switch verification off?"} {
		page := b.post("/console/settings/return", url.Values{"switch": {string(key)}})
		says(t, page, http.StatusOK, title)
		says(t, b.follow(b.post("/console/settings/return", form(t, page.Body.String(), "/console/settings/return"))), http.StatusOK, "Returned to the start value.")
	}
	if got := w.board.Policy(); len(got.Coverage.Allowed) != 1 || got.Enabled {
		t.Errorf("got %+v", got)
	}
}

func TestTheMakerOfTokensIsShownAndMayTakeThemAlong(t *testing.T) {
	w := newWorld(t)
	b := w.administrator()
	made := b.post("/console/tokens/new", url.Values{"name": {"anna"}, "scope": {"claims:manage"}})
	says(t, made, http.StatusCreated)
	says(t, b.get("/console/tokens"), http.StatusOK, `by <bdi title="ops">ops</bdi>`)
	says(t, b.get("/console/tokens/revoke?name=ops"), http.StatusOK, "Revoke the tokens that it made too: <bdi>anna</bdi>")
	b.post("/console/tokens/revoke", url.Values{"name": {"ops"}, "made": {"yes"}})
	kept, _ := w.kept.List(t.Context())
	for _, token := range kept {
		if token.RevokedAt.IsZero() {
			t.Errorf("%s is in force", token.Name)
		}
	}
}

// What another replica has set since is not undone with what was before it.
func TestWhatAnotherReplicaHasSetSinceIsNotUndone(t *testing.T) {
	w := newWorld(t)
	german, austrian := "49", "43"
	if err := w.board.Set(t.Context(), map[settings.Key]*string{settings.AllowedCodes: &german}, ops); err != nil {
		t.Fatal(err)
	}
	if err := w.store.RecordEvent(t.Context(), w.settings.Events()[0]); err != nil {
		t.Fatal(err)
	}
	b := w.administrator()
	id := regexp.MustCompile(`name="event" value="(\d+)"`).FindStringSubmatch(b.get("/console/audit").Body.String())
	if id == nil {
		t.Fatal("nothing to undo")
	}
	other := settings.New(w.settings, w.policy, w.Now, w.opt.Log)
	if err := other.Set(t.Context(), map[settings.Key]*string{settings.AllowedCodes: &austrian}, ops); err != nil {
		t.Fatal(err)
	}
	says(t, b.follow(b.post("/console/settings/undo", url.Values{"event": {id[1]}})), http.StatusOK, "the setting has changed again since")
	if got := w.board.Policy().Coverage.Allowed; !slices.Equal(got, []string{austrian}) {
		t.Errorf("got %v", got)
	}
}

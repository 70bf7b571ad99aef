package console_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/holdline/holdline/internal/admin"
	"github.com/holdline/holdline/internal/claim"
	"github.com/holdline/holdline/internal/message"
	"github.com/holdline/holdline/internal/phone"
	"github.com/holdline/holdline/internal/problem"
)

func TestClaimsAreFound(t *testing.T) {
	w := newWorld(t)
	german := w.claim(nil)
	w.pass(time.Second)
	french := w.claim(func(c *claim.Claim) {
		c.IdentityID, c.Number, c.State, c.Source = "EU/bob", phone.FromStore("+33612345678"), claim.Applied, claim.SourceSCIM
	})
	for name, tt := range map[string]struct {
		fields         url.Values
		german, french bool
	}{
		"all":                {url.Values{}, true, true},
		"in full":            {url.Values{"number": {"0171 1111111"}}, true, false},
		"masked":             {url.Values{"number": {"+33 *** *** *78"}}, false, true},
		"by identity":        {url.Values{"identity": {" EU/bob "}}, false, true},
		"by state":           {url.Values{"state": {"open"}}, true, false},
		"by number and more": {url.Values{"number": {wanted}, "state": {"applied"}}, false, false},
	} {
		t.Run(name, func(t *testing.T) {
			b := w.administrator()
			got := b.post("/console/claims", tt.fields)
			if number := tt.fields.Get("number"); number == "" {
				got = b.follow(got)
			}
			says(t, got, http.StatusOK)
			body := got.Body.String()
			if strings.Contains(body, german.ID) != tt.german || strings.Contains(body, french.ID) != tt.french {
				t.Errorf("got %s", visible(body))
			}
			if !tt.german && !tt.french && !strings.Contains(body, "No claim fits.") {
				t.Error("the empty list is not said")
			}
		})
	}
	says(t, w.administrator().get("/console/claims"), http.StatusOK,
		"+33*******78", `<span class="badge good">applied</span>`, "EU", "scim", `datetime="2026-11-24T12:00:01Z"`, `title="Tuesday, 24 November 2026, 12:00:01 UTC"`)
}

func TestWhatCannotBeAskedForIsSaid(t *testing.T) {
	b := newWorld(t).administrator()
	got := b.post("/console/claims", url.Values{"number": {"twelve"}, "identity": {"bob"}})
	says(t, got, http.StatusBadRequest, "Enter a whole number as it is dialled", `value="twelve"`, `value="bob"`, `aria-invalid="true"`)
	for _, path := range []string{
		"/console/claims?state=odd", "/console/claims?after=x", "/console/texts?state=delivered", "/console/texts?after=1",
		"/console/audit?after=x", "/console/audit?after=-1", "/console/traffic?span=1y",
	} {
		says(t, b.get(path), http.StatusBadRequest, "cannot be read")
	}
	says(t, b.get("/console/claims/none"), http.StatusNotFound, "There is no such claim")
	says(t, b.get("/console/claims/none/dance"), http.StatusNotFound, "There is nothing here")
	says(t, b.get("/console/none"), http.StatusNotFound, "There is nothing here", `aria-label="Console"`)
}

var older = regexp.MustCompile(`href="([^"]*after=[^"]*)" rel="next"`)

func TestListsShowEachRowOnceByPages(t *testing.T) {
	w := newWorld(t)
	ids := map[string]int{}
	for i := range 120 {
		w.pass(time.Second)
		c := w.claim(func(c *claim.Claim) {
			c.IdentityID, c.State = fmt.Sprintf("bob%d", i), claim.Open
			if i%2 == 1 {
				c.State, c.EndedAt = claim.Lapsed, w.Now()
			}
		})
		ids[c.ID] = 0
	}
	row := regexp.MustCompile(`<tr>[^$]*?href="/console/claims/([0-9a-f-]+)"`)
	for path, want := range map[string]int{"/console/claims": 120, "/console/claims?state=lapsed": 60, "/console/texts": 120, "/console/audit": 120, "/console/audit?kind=open": 60} {
		b, seen, at := w.administrator(), map[string]bool{}, path
		for pages := 1; ; pages++ {
			body := b.get(at).Body.String()
			for _, part := range strings.Split(body, "<tr>")[1:] {
				if found := row.FindStringSubmatch("<tr>" + part); found != nil {
					if seen[found[1]] {
						t.Fatalf("%s: %s is there twice", path, found[1])
					}
					seen[found[1]] = true
				}
			}
			if pages > 1 && !strings.Contains(body, ">Newest</a>") {
				t.Errorf("%s has no way back", at)
			}
			next := older.FindStringSubmatch(body)
			if next == nil || pages > 4 {
				break
			}
			at = strings.ReplaceAll(next[1], "&amp;", "&")
		}
		if len(seen) != want {
			t.Errorf("%s: got %d rows, want %d", path, len(seen), want)
		}
	}
}

func TestPagesOfANumberStayOutOfAddresses(t *testing.T) {
	w := newWorld(t)
	for i := range 60 {
		w.pass(25 * time.Hour)
		w.claim(func(c *claim.Claim) { c.IdentityID, c.State = fmt.Sprintf("bob%d", i), claim.Lapsed })
	}
	b := w.administrator()
	first := b.post("/console/claims", url.Values{"number": {wanted}, "state": {"lapsed"}}).Body.String()
	after := regexp.MustCompile(`name="after" value="([^"]+)"`).FindStringSubmatch(first)
	if after == nil || older.MatchString(first) {
		t.Fatalf("there is no form for older ones: %s", visible(first))
	}
	second := b.post("/console/claims", url.Values{"number": {wanted}, "state": {"lapsed"}, "after": {after[1]}}).Body.String()
	if got := strings.Count(first, "<tr>") + strings.Count(second, "<tr>") - 2; got != 60 {
		t.Errorf("got %d rows, want 60", got)
	}
	if strings.Contains(second, `name="after"`) {
		t.Error("the last page offers older ones")
	}
}

func TestOneClaimIsTold(t *testing.T) {
	w := newWorld(t)
	c := w.claim(nil)
	due, err := w.store.DueTexts(t.Context(), w.Now().Add(time.Hour), 10)
	if err != nil || len(due) != 1 {
		t.Fatal(due, err)
	}
	sent := message.TextResult{TextID: due[0].ID, State: message.TextSent, Gateway: "vonage", ProviderID: "m1", At: w.Now().Add(2 * time.Second)}
	if err := w.store.Done(t.Context(), sent); err != nil {
		t.Fatal(err)
	}
	receipt := message.Receipt{Gateway: "vonage", Message: "m1", State: message.ReceiptDelivered, Detail: "code 0", At: w.Now().Add(5 * time.Second)}
	if err := w.store.Record(t.Context(), receipt); err != nil {
		t.Fatal(err)
	}
	got := w.administrator().get("/console/claims/" + c.ID)
	says(t, got, http.StatusOK, "The number waits for its code.", c.IdentityID, "PRIMARY", "+49********11", "+49********00", ", verified", "Send another text", "Cancel the claim")
	words := visible(got.Body.String())
	at := 0
	for _, part := range []string{"Claim opened by owner from 203.0.113.9", "Code: queued to +49********11", "Code: taken by vonage", "Code: delivered vonage says so · code 0"} {
		next := strings.Index(words, part)
		if next < at {
			t.Errorf("%q is missing or too early in %s", part, words)
		}
		at = max(at, next)
	}
}

func TestAnEndedClaimOffersNoAct(t *testing.T) {
	w := newWorld(t)
	c := w.claim(func(c *claim.Claim) { c.State, c.EndedAt, c.Reason = claim.Conflict, w.Now(), "number is taken" })
	body := w.administrator().get("/console/claims/" + c.ID).Body.String()
	if strings.Contains(body, "/resend") || strings.Contains(body, "/cancel") || !strings.Contains(body, "number is taken") {
		t.Errorf("got %s", visible(body))
	}
}

func TestActsSayHowTheyWent(t *testing.T) {
	for name, tt := range map[string]struct {
		act    string
		change func(*claim.Claim)
		wait   time.Duration
		fail   error
		status int
		words  string
	}{
		"resent":             {"resend", nil, time.Minute, nil, 303, "Another text is on its way."},
		"cancelled":          {"cancel", nil, 0, nil, 303, "The claim is cancelled, and its code is dead."},
		"too soon":           {"resend", nil, 0, nil, 429, "The next one may be sent after 12:00:30 UTC."},
		"too many texts":     {"resend", func(c *claim.Claim) { c.Texts = 5 }, time.Minute, nil, 429, "More may be sent after 25 Nov 2026, 12:00:00 UTC."},
		"ended meanwhile":    {"resend", func(c *claim.Claim) { c.State = claim.Lapsed }, time.Minute, nil, 409, "This claim is not open any more"},
		"cancelled already":  {"cancel", func(c *claim.Claim) { c.State = claim.Cancelled }, 0, nil, 409, "This claim is not open any more"},
		"being applied":      {"cancel", func(c *claim.Claim) { c.State = claim.Verified }, 0, nil, 409, "is being written to the account just now"},
		"no such claim":      {"cancel", func(c *claim.Claim) { c.ID = "other" }, 0, nil, 404, "There is no such claim"},
		"store away":         {"cancel", nil, 0, problem.ErrStoreUnavailable, 503, "The database does not answer"},
		"nobody planned for": {"reveal", nil, 0, errors.New("odd"), 500, "Something went wrong."},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			c := w.claim(tt.change)
			if c.ID == "other" {
				c.ID = "missing"
			}
			w.pass(tt.wait)
			b := w.administrator()
			w.store.Fail(tt.fail)
			got := b.post("/console/claims/"+c.ID+"/"+tt.act, nil)
			if got.Code != tt.status {
				t.Errorf("got status %d, want %d", got.Code, tt.status)
			}
			if got.Code == http.StatusSeeOther {
				got = b.follow(got)
				events := w.store.Events()
				if last := events[len(events)-1]; last.Actor != ops || last.ClaimID != c.ID {
					t.Errorf("got the event %+v", last)
				}
			}
			says(t, got, max(200, got.Code), tt.words)
			if tt.status == http.StatusTooManyRequests && got.Header().Get("Retry-After") == "" {
				t.Error("there is no Retry-After")
			}
			if logged := strings.Contains(w.log.String(), "console page failed"); logged != (tt.status >= 500) {
				t.Errorf("got the log %s", w.log)
			}
		})
	}
	w := newWorld(t)
	c := w.claim(nil)
	if got := w.administrator().get("/console/claims/" + c.ID + "/resend"); got.Header().Get("Location") != "/console/claims/"+c.ID {
		t.Errorf("loading an act's address leads to %q", got.Header().Get("Location"))
	}
}

func TestFullNumbersAreOnTheAnswerThatAsksForThemOnly(t *testing.T) {
	w := newWorld(t)
	c := w.claim(nil)
	b := w.administrator()
	hidden := func(where, text string) {
		t.Helper()
		for _, number := range []string{wanted, before} {
			if strings.Contains(text, number) || strings.Contains(text, number[3:]) {
				t.Errorf("%s has a full number", where)
			}
		}
	}
	b.post("/console/claims", url.Values{"number": {"0049 171-111 1111"}})
	got := b.post("/console/claims/"+c.ID+"/reveal", nil)
	says(t, got, http.StatusOK, wanted, before, "The audit trail has noted that you looked at them.", "Mask the numbers again")
	if got.Header().Get("Cache-Control") != "no-store" {
		t.Error("the answer may be kept")
	}
	events := w.store.Events()
	if last := events[len(events)-1]; last.Kind != admin.NumberShown || last.Actor != ops || last.ClaimID != c.ID {
		t.Errorf("got the event %+v", last)
	}
	for _, path := range routes(t, w, http.MethodGet) {
		answer := b.get(path)
		hidden(path, answer.Body.String())
		hidden(path, answer.Header().Get("Location"))
	}
	b.get("/console/claims/" + c.ID)
	for _, act := range []string{"resend", "cancel"} {
		answer := b.post("/console/claims/"+c.ID+"/"+act, nil)
		hidden(act, answer.Body.String())
		hidden(act, answer.Header().Get("Location"))
	}
	says(t, b.get("/console/audit"), http.StatusOK, "Full number shown")
	hidden("the log", w.log.String())
}

func TestWithoutItsLineInTheAuditTrailNoNumberIsShown(t *testing.T) {
	w := newWorld(t)
	c := w.claim(nil)
	b := w.administrator()
	w.store.Fail(problem.ErrStoreUnavailable)
	got := b.post("/console/claims/"+c.ID+"/reveal", nil)
	says(t, got, http.StatusServiceUnavailable, "The database does not answer")
	if strings.Contains(got.Body.String(), wanted) {
		t.Error("the number is shown")
	}
}

// A claim without a code says what became of it.
func TestAClaimWithoutACodeSaysWhatItIs(t *testing.T) {
	w := newWorld(t)
	b := w.administrator()
	for _, tt := range []struct {
		state  claim.State
		source claim.Source
		number string
		words  string
	}{
		{claim.Applied, claim.SourceTakeover, wanted, "Another account has proved it, and has it now."},
		{claim.Applied, claim.SourceSettings, "", "The number was removed from the account."},
		{claim.Applied, claim.SourceSettings, wanted, "written to the account without a code, not marked verified."},
		{claim.Staged, claim.SourceTakeover, wanted, "Another account has proved the number, and is taking it."},
		{claim.Staged, claim.SourceSettings, wanted, "The number is being changed without a code."},
		{claim.Discarded, claim.SourceSettings, wanted, "It was not stored."},
	} {
		c := w.claim(func(c *claim.Claim) {
			c.Direct, c.State, c.Source, c.Number = true, tt.state, tt.source, phone.FromStore(tt.number)
		})
		says(t, b.get("/console/claims/"+c.ID), http.StatusOK, tt.words, "Number afterwards")
	}
}

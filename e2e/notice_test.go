package e2e_test

import (
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/holdline/holdline/e2e/harness"
)

// mailbox is the operator's service behind the webhook.
type mailbox struct {
	url   string
	mu    sync.Mutex
	calls []mail
}

type mail struct {
	Recipient, Subject, Body string
	TemplateType             string `json:"template_type"`
	TemplateData             struct{ Mobile, Link string }
}

func newMailbox(t *testing.T) *mailbox {
	m := &mailbox{}
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		var in struct {
			mail
			TemplateData struct{ Mobile, Link string } `json:"template_data"`
		}
		body, _ := io.ReadAll(r.Body)
		if err := json.Unmarshal(body, &in); err != nil {
			t.Errorf("webhook: %v in %s", err, body)
		}
		in.mail.TemplateData = in.TemplateData
		m.mu.Lock()
		defer m.mu.Unlock()
		m.calls = append(m.calls, in.mail)
	}))
	t.Cleanup(server.Close)
	m.url = server.URL
	return m
}

// nth waits for the n-th call, counted from 1.
func (m *mailbox) nth(t *testing.T, n int) mail {
	t.Helper()
	var found mail
	harness.Eventually(t, "a call of the webhook", func() error {
		m.mu.Lock()
		defer m.mu.Unlock()
		if len(m.calls) < n {
			return errNotYet
		}
		found = m.calls[n-1]
		return nil
	})
	return found
}

// last waits for a call about a person, and returns the newest.
func (m *mailbox) last(t *testing.T, p *harness.Person) mail {
	t.Helper()
	var found mail
	harness.Eventually(t, "a call of the webhook about a person", func() error {
		m.mu.Lock()
		defer m.mu.Unlock()
		for _, call := range m.calls {
			if call.Recipient == p.Email {
				found = call
			}
		}
		if found.Recipient == "" {
			return errNotYet
		}
		return nil
	})
	return found
}

var denial = regexp.MustCompile(`http://\S+/not-me/[A-Za-z0-9_-]{35}`)

// The person who had the number is told of the change, in a text and by the
// operator's mail, and can say that it was not they.
func TestTheOldNumberIsToldAndCanDenyTheChange(t *testing.T) {
	t.Parallel()
	mails := newMailbox(t)
	s := harness.NewStack(t, harness.Options{Holdline: harness.Overlay{
		"sms": harness.Overlay{"product": "Acme"},
		"notices": harness.Overlay{"webhook": harness.Overlay{"request_config": harness.Overlay{
			"url": mails.url, "body": "base64://" + base64.StdEncoding.EncodeToString([]byte("function(ctx) ctx")),
		}}},
	}})
	bob := s.NewPerson(t, m0)
	wantEmpty(t, bob.Confirm(t, bob.Ask(t, m1).Code), 202)

	notice := waitForNotice(t, s, m0)
	link := denial.FindString(notice.Body)
	if link == "" || !strings.HasPrefix(notice.Body, "Your Acme mobile number was changed.") || strings.Contains(notice.Body, m1[4:]) {
		t.Fatalf("the notice says %q", notice.Body)
	}
	asked, changed := mails.nth(t, 1), mails.nth(t, 2)
	if asked.TemplateType != "mobile_number_requested" || changed.TemplateType != "mobile_number_changed" {
		t.Errorf("the webhook was called for %s, %s", asked.TemplateType, changed.TemplateType)
	}
	for _, m := range []mail{asked, changed} {
		if m.Recipient != bob.Email || m.Subject != "Your Acme mobile number" || m.TemplateData.Link != link ||
			!strings.Contains(m.Body, link) || strings.Contains(m.TemplateData.Mobile, m1[4:9]) {
			t.Errorf("mail: %+v", m)
		}
	}

	pending := bob.Ask(t, m2)
	if looked := harness.Send(t, http.MethodGet, link, "", harness.Header{}); looked.Status != 200 || !strings.Contains(looked.Body, "This was not me") {
		t.Errorf("the page: %d %s", looked.Status, looked.Body)
	}
	if _, waiting := bob.Claim(t); !waiting {
		t.Error("looking at the page changed something")
	}
	form := harness.Header{"Content-Type", "application/x-www-form-urlencoded"}
	denied := harness.Send(t, http.MethodPost, link, "", form)
	if denied.Status != http.StatusSeeOther || denied.Header.Get("Location") != "?" {
		t.Errorf("the button: %d %v", denied.Status, denied.Header)
	}
	harness.Eventually(t, "the page says what was done", func() error {
		told := harness.Send(t, http.MethodGet, link, "")
		for _, said := range []string{`data-state="done"`, "change your password", "is cancelled", "have been ended", "case is open"} {
			if !strings.Contains(told.Body, said) {
				return errNotYetWith(said)
			}
		}
		return nil
	})
	if alarm := mails.nth(t, 4); alarm.TemplateType != "mobile_number_disputed" || alarm.TemplateData.Link != "" {
		t.Errorf("alarm: %+v", alarm)
	}
	if got := bob.Me(t, http.MethodGet, "mobile-claim", ""); got.Status != http.StatusUnauthorized {
		t.Errorf("a session goes on: %d %s", got.Status, got.Body)
	}
	bob.SignIn(t)
	wantFault(t, bob.Confirm(t, pending.Code), 400, "18001")
	wantMade(t, bob, m1) // the number stays; who is right is for people to find out
	if refused := bob.Save(t, harness.Profile{Name: "Bob", Mobile: m2}); refused.Status != http.StatusBadRequest || !strings.Contains(refused.Body, "cannot be changed for now") {
		t.Errorf("a form while changes are blocked: %d %s", refused.Status, refused.Body)
	}
	bob.MustSave(t, harness.Profile{Name: "Robert", Mobile: m1})
	if audit := strings.Join(s.Database.Audit(t, bob.ID), ", "); !strings.Contains(audit, "disputed by link") || !strings.Contains(audit, "sessions_ended by system") {
		t.Errorf("audit: %s", audit)
	}
	again := harness.Send(t, http.MethodPost, link, "", form)
	if again.Status != http.StatusSeeOther {
		t.Errorf("once more: %d %s", again.Status, again.Body)
	}
	if got := bob.Me(t, http.MethodGet, "mobile-claim", ""); got.Status != http.StatusNotFound {
		t.Errorf("pressing again ended a session: %d %s", got.Status, got.Body)
	}
	forged := link[:len(link)-4] + "AAAA"
	if got := harness.Send(t, http.MethodGet, forged, "", harness.Header{}); got.Status != 404 {
		t.Errorf("a forged link: %d", got.Status)
	}
	if log := s.Holdline.Output.String(); strings.Contains(log, link[len(link)-35:]) {
		t.Error("the log shows the link")
	}
}

func waitForNotice(t *testing.T, s *harness.Stack, to string) harness.Text {
	t.Helper()
	var found harness.Text
	harness.Eventually(t, "a notice to "+to, func() error {
		notices := s.Provider.Notices(to)
		if len(notices) == 0 {
			return errNotYet
		}
		found = notices[0]
		return nil
	})
	return found
}

// Nobody is told of a first number, and nobody of one that was never proven.
func TestNobodyIsToldOfAFirstNumber(t *testing.T) {
	t.Parallel()
	s := harness.NewStack(t, harness.Options{})
	bob := s.NewPerson(t, "")
	wantEmpty(t, bob.Confirm(t, bob.Ask(t, m1).Code), 202)
	wantMade(t, bob, m1)
	wantEmpty(t, bob.Confirm(t, bob.Ask(t, m2).Code), 202)
	waitForNotice(t, s, m1)
	if n := len(s.Provider.Notices("")); n != 1 {
		t.Errorf("%d notices, want the one to the number that was replaced", n)
	}
}

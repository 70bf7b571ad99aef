package harness

import (
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
)

// Profile is what a settings form holds.
type Profile struct {
	Name, Mobile string // a blank mobile is left out of the form
}

// Settings is what came of a settings flow.
type Settings struct {
	Answer
	FlowID   string
	State    string
	Identity Identity
	// Field is the messages at the mobile number, Top those of the whole form.
	Field, Top []UIMessage
	// FieldValue is what the form shows in the mobile number's field.
	FieldValue string
}

func settingsOf(answer Answer, f flow) Settings {
	return Settings{
		Answer: answer, FlowID: f.ID, State: f.State, Identity: f.Identity,
		Field: f.messages("traits.mobile"), Top: f.UI.Messages, FieldValue: f.value("traits.mobile"),
	}
}

func (p *Person) traits(profile Profile) tree {
	traits := tree{"email": p.Email, "name": profile.Name}
	if profile.Mobile != "" {
		traits["mobile"] = profile.Mobile
	}
	return traits
}

// Save sends a profile through a settings flow of the API kind.
func (p *Person) Save(t testing.TB, profile Profile) Settings {
	t.Helper()
	return p.SaveWith(t, profile, nil)
}

// SaveWith is Save by a client that sends more headers.
func (p *Person) SaveWith(t testing.TB, profile Profile, headers Header) Settings {
	t.Helper()
	client := newClient(nil)
	f := begin(t, client, p.stack.Kratos.PublicURL+"/self-service/settings/api", p.ByToken())
	answer := sendBy(t, client, http.MethodPost, f.UI.Action,
		marshal(t, tree{"method": "profile", "traits": p.traits(profile)}), JSONBody, p.ByToken(), headers)
	var done flow
	answer.JSON(t, &done)
	return settingsOf(answer, done)
}

// SaveTraits sends traits as they are through a settings flow of the API kind; nil
// is JSON's null.
func (p *Person) SaveTraits(t testing.TB, traits map[string]any, headers Header) Settings {
	t.Helper()
	client := newClient(nil)
	f := begin(t, client, p.stack.Kratos.PublicURL+"/self-service/settings/api", p.ByToken())
	answer := sendBy(t, client, http.MethodPost, f.UI.Action,
		marshal(t, tree{"method": "profile", "traits": traits}), JSONBody, p.ByToken(), headers)
	var done flow
	answer.JSON(t, &done)
	return settingsOf(answer, done)
}

// SaveByFormWith is SaveByForm with fields of its own.
func (p *Person) SaveByFormWith(t testing.TB, fields map[string]string) Settings {
	t.Helper()
	client := p.Browser(t)
	f := begin(t, client, p.stack.Kratos.PublicURL+"/self-service/settings/browser")
	form := url.Values{"method": {"profile"}, "csrf_token": {f.value("csrf_token")}}
	for name, value := range fields {
		form.Set(name, value)
	}
	answer := sendBy(t, client, http.MethodPost, f.UI.Action, form.Encode(),
		Header{"Content-Type", "application/x-www-form-urlencoded", "Accept", "text/html"})
	if answer.Status != http.StatusSeeOther {
		t.Fatalf("settings form: %d %s", answer.Status, answer.Body)
	}
	done := begin(t, client, p.stack.Kratos.PublicURL+"/self-service/settings/flows?id="+f.ID)
	return settingsOf(answer, done)
}

// TrySave is Save where something may break down meanwhile.
func (p *Person) TrySave(profile Profile, headers ...Header) (Answer, error) {
	client := newHasty()
	answer, err := trySend(client, http.MethodGet, p.stack.Kratos.PublicURL+"/self-service/settings/api", "", p.ByToken())
	if err != nil || answer.Status != http.StatusOK {
		return answer, err
	}
	var f flow
	if err := json.Unmarshal([]byte(answer.Body), &f); err != nil {
		return answer, err
	}
	body, err := json.Marshal(tree{"method": "profile", "traits": p.traits(profile)})
	if err != nil {
		return answer, err
	}
	return trySend(client, http.MethodPost, f.UI.Action, string(body), append(headers, JSONBody, p.ByToken())...)
}

// SaveByAJAX sends a profile through a flow of the browser kind, as a page's
// script does.
func (p *Person) SaveByAJAX(t testing.TB, profile Profile) Settings {
	t.Helper()
	client := p.Browser(t)
	f := begin(t, client, p.stack.Kratos.PublicURL+"/self-service/settings/browser")
	answer := sendBy(t, client, http.MethodPost, f.UI.Action, marshal(t, tree{
		"method": "profile", "csrf_token": f.value("csrf_token"), "traits": p.traits(profile),
	}), JSONBody, acceptJSON)
	var done flow
	answer.JSON(t, &done)
	return settingsOf(answer, done)
}

// SaveByForm sends a profile through a flow of the browser kind, as a plain HTML
// form does. The flow is fetched again, as the page that a browser is sent to
// would do.
func (p *Person) SaveByForm(t testing.TB, profile Profile) Settings {
	t.Helper()
	client := p.Browser(t)
	f := begin(t, client, p.stack.Kratos.PublicURL+"/self-service/settings/browser")
	form := url.Values{"method": {"profile"}, "csrf_token": {f.value("csrf_token")}}
	for name, value := range p.traits(profile) {
		form.Set("traits."+name, value.(string))
	}
	answer := sendBy(t, client, http.MethodPost, f.UI.Action, form.Encode(),
		Header{"Content-Type", "application/x-www-form-urlencoded", "Accept", "text/html"})
	if answer.Status != http.StatusSeeOther {
		t.Fatalf("settings form: %d %s", answer.Status, answer.Body)
	}
	done := begin(t, client, p.stack.Kratos.PublicURL+"/self-service/settings/flows?id="+f.ID)
	return settingsOf(answer, done)
}

// EndOfSave is where the person's browser ends after a profile was saved by a plain
// form: the first address that leads nowhere else, or that nobody serves.
func (p *Person) EndOfSave(t testing.TB, profile Profile) string {
	t.Helper()
	next := p.SaveByForm(t, profile).Header.Get("Location")
	for range 10 {
		answer, err := trySend(p.Browser(t), http.MethodGet, next, "", Header{"Accept", "text/html"})
		if err != nil || answer.Status != http.StatusSeeOther {
			return next
		}
		to, err := url.Parse(next)
		if err == nil {
			to, err = to.Parse(answer.Header.Get("Location"))
		}
		if err != nil {
			t.Fatal(err)
		}
		next = to.String()
	}
	t.Fatalf("the browser goes round, and is at %s", next)
	return ""
}

// outage reports whether a number was refused because something was away, with which
// a form is to be saved once more.
func (s Settings) outage() bool {
	return slices.ContainsFunc(s.Field, func(m UIMessage) bool {
		code, _ := m.Context["code"].(string)
		return strings.HasPrefix(code, "HLD-503")
	})
}

// MustSave is Save, once more while something is away for a moment, and fails the test
// when Kratos does not store the profile.
func (p *Person) MustSave(t testing.TB, profile Profile) Settings {
	t.Helper()
	var saved Settings
	_ = poll(Patience, func() error {
		if saved = p.Save(t, profile); saved.outage() {
			return errNotYet
		}
		return nil
	})
	if saved.Status != http.StatusOK || saved.State != "success" {
		t.Fatalf("settings flow: %d %s", saved.Status, saved.Body)
	}
	return saved
}

// Ask changes the number in a settings flow and returns the text that comes of
// it.
func (p *Person) Ask(t testing.TB, mobile string) Text {
	t.Helper()
	before := len(p.stack.Provider.Texts(mobile))
	p.MustSave(t, Profile{Name: "Before", Mobile: mobile})
	return p.stack.Provider.Nth(t, mobile, before+1)
}

// Words are the texts of messages, for failure messages.
func Words(messages []UIMessage) string {
	var all []string
	for _, m := range messages {
		all = append(all, m.Type+": "+m.Text)
	}
	return strings.Join(all, "; ")
}

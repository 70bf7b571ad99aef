package harness

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
)

// Person is somebody with an account, signed in by an API client and, once
// asked for, by a browser.
type Person struct {
	ID, Email, Password string
	// Token is the session token of the API client.
	Token string

	stack   *Stack
	browser *http.Client
}

// Identity is an identity as Kratos' admin API shows it.
type Identity struct {
	ID     string `json:"id"`
	State  string `json:"state"`
	Traits struct {
		Email  string `json:"email"`
		Name   string `json:"name"`
		Mobile string `json:"mobile"`
	} `json:"traits"`
	Public      map[string]any      `json:"metadata_public"`
	Addresses   []VerifiableAddress `json:"verifiable_addresses"`
	Credentials map[string]struct {
		Identifiers []string `json:"identifiers"`
	} `json:"credentials"`
}

// VerifiableAddress is one of Kratos'.
type VerifiableAddress struct {
	Value    string `json:"value"`
	Verified bool   `json:"verified"`
	Via      string `json:"via"`
	Status   string `json:"status"`
}

// Pending is the number that is shown as pending, or blank.
func (i Identity) Pending() string {
	pending, _ := i.Public["pendingMobileNumber"].(string)
	return pending
}

// MobileVerified reports whether the stored number is marked verified.
func (i Identity) MobileVerified() bool {
	for _, a := range i.Addresses {
		if a.Via == "sms" && a.Value == i.Traits.Mobile {
			return a.Verified && a.Status == "completed"
		}
	}
	return false
}

// Account describes a person to be made.
type Account struct {
	Mobile     string // blank for none
	Unverified bool
	Schema     string // blank for the one with a verifiable number
	Email      string // blank for one of its own
}

var people atomic.Int32

// NewPerson makes an account with a verified number, signed in by an API client.
func (s *Stack) NewPerson(t testing.TB, mobile string) *Person {
	t.Helper()
	return s.NewAccount(t, Account{Mobile: mobile})
}

// NewAccount makes an account, signed in by an API client.
func (s *Stack) NewAccount(t testing.TB, a Account) *Person {
	t.Helper()
	n := people.Add(1)
	p := &Person{
		Email: fmt.Sprintf("person%d@example.com", n), Password: fmt.Sprintf("long-enough-%d-%s", n, "Kp4wq"), stack: s,
	}
	if a.Email != "" {
		p.Email = a.Email
	}
	if a.Schema == "" {
		a.Schema = "verified"
	}
	traits := tree{"email": p.Email, "name": "Before"}
	body := tree{
		"schema_id": a.Schema, "traits": traits,
		"credentials": tree{"password": tree{"config": tree{"password": p.Password}}},
	}
	if a.Mobile != "" {
		traits["mobile"] = a.Mobile
		if !a.Unverified {
			body["verifiable_addresses"] = []tree{{"value": a.Mobile, "via": "sms", "verified": true, "status": "completed"}}
		}
	}
	answer := Send(t, http.MethodPost, s.Kratos.AdminURL+"/admin/identities", marshal(t, body), JSONBody)
	if answer.Status != http.StatusCreated {
		t.Fatalf("make identity: %d %s", answer.Status, answer.Body)
	}
	var made Identity
	answer.JSON(t, &made)
	p.ID = made.ID
	p.SignIn(t)
	return p
}

// flow is one of Kratos' self-service flows.
type flow struct {
	ID    string `json:"id"`
	State string `json:"state"`
	UI    struct {
		Action   string      `json:"action"`
		Messages []UIMessage `json:"messages"`
		Nodes    []struct {
			Attributes struct {
				ID    string `json:"id"`
				Name  string `json:"name"`
				Value any    `json:"value"`
				Text  struct {
					Text string `json:"text"`
				} `json:"text"`
			} `json:"attributes"`
			Messages []UIMessage `json:"messages"`
		} `json:"nodes"`
	} `json:"ui"`
	Identity     Identity `json:"identity"`
	SessionToken string   `json:"session_token"`
}

// UIMessage is one of Kratos' messages.
type UIMessage struct {
	ID      int            `json:"id"`
	Text    string         `json:"text"`
	Type    string         `json:"type"`
	Context map[string]any `json:"context"`
}

func (f flow) value(name string) string {
	for _, node := range f.UI.Nodes {
		if node.Attributes.Name == name {
			value, _ := node.Attributes.Value.(string)
			return value
		}
	}
	return ""
}

func (f flow) messages(name string) []UIMessage {
	for _, node := range f.UI.Nodes {
		if node.Attributes.Name == name {
			return node.Messages
		}
	}
	return nil
}

var acceptJSON = Header{"Accept", "application/json"}

// begin starts or fetches a flow.
func begin(t testing.TB, client *http.Client, url string, headers ...Header) flow {
	t.Helper()
	answer := sendBy(t, client, http.MethodGet, url, "", append(headers, acceptJSON)...)
	if answer.Status != http.StatusOK {
		t.Fatalf("GET %s: %d %s", url, answer.Status, answer.Body)
	}
	var f flow
	answer.JSON(t, &f)
	return f
}

// Register makes an account as a newcomer does. With its verification enabled,
// Kratos itself texts a code to the number.
func (s *Stack) Register(t testing.TB, mobile string) {
	t.Helper()
	client := newClient(nil)
	n := people.Add(1)
	f := begin(t, client, s.Kratos.PublicURL+"/self-service/registration/api")
	answer := sendBy(t, client, http.MethodPost, f.UI.Action, marshal(t, tree{
		"method": "password", "password": fmt.Sprintf("long-enough-%d-%s", n, "Kp4wq"),
		"traits": tree{"email": fmt.Sprintf("person%d@example.com", n), "mobile": mobile},
	}), JSONBody)
	if answer.Status != http.StatusOK {
		t.Fatalf("registration flow: %d %s", answer.Status, answer.Body)
	}
}

// SignIn signs in once more by the API client.
func (p *Person) SignIn(t testing.TB) {
	t.Helper()
	if p.Token = p.TrySignIn(t, p.Password); p.Token == "" {
		t.Fatal("the password does not sign in")
	}
}

// TrySignIn signs in by an API client with a password. It returns the session token,
// blank if Kratos refuses.
func (p *Person) TrySignIn(t testing.TB, password string) string {
	t.Helper()
	client := newClient(nil)
	login := begin(t, client, p.stack.Kratos.PublicURL+"/self-service/login/api")
	answer := sendBy(t, client, http.MethodPost, login.UI.Action,
		marshal(t, tree{"method": "password", "identifier": p.Email, "password": password}), JSONBody)
	var done flow
	answer.JSON(t, &done)
	if answer.Status != http.StatusOK {
		return ""
	}
	return done.SessionToken
}

// Browser returns the person's browser, signed in.
func (p *Person) Browser(t testing.TB) *http.Client {
	t.Helper()
	if p.browser != nil {
		return p.browser
	}
	client := newClient(newJar(t))
	login := begin(t, client, p.stack.Kratos.PublicURL+"/self-service/login/browser")
	answer := sendBy(t, client, http.MethodPost, login.UI.Action, marshal(t, tree{
		"method": "password", "identifier": p.Email, "password": p.Password, "csrf_token": login.value("csrf_token"),
	}), JSONBody, acceptJSON)
	if answer.Status != http.StatusOK {
		t.Fatalf("sign in by browser: %d %s", answer.Status, answer.Body)
	}
	p.browser = client
	return client
}

// Cookies is the Cookie header that the person's browser sends to any server of
// this host.
func (p *Person) Cookies(t testing.TB) string {
	t.Helper()
	request, err := http.NewRequest(http.MethodGet, p.stack.Kratos.PublicURL, nil)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, cookie := range p.Browser(t).Jar.Cookies(request.URL) {
		all = append(all, cookie.Name+"="+cookie.Value)
	}
	return strings.Join(all, "; ")
}

// The ways in which Holdline's user API may be called.

// ByToken is a session token in Kratos' own header.
func (p *Person) ByToken() Header { return Header{"X-Session-Token", p.Token} }

// ByBearer is the session token as a bearer token.
func (p *Person) ByBearer() Header { return Header{"Authorization", "Bearer " + p.Token} }

// ByCookie is the browser's session cookie.
func (p *Person) ByCookie(t testing.TB) Header { return Header{"Cookie", p.Cookies(t)} }

// ByPassword is HTTP Basic.
func (p *Person) ByPassword() Header {
	return Header{"Authorization", "Basic " + base64.StdEncoding.EncodeToString([]byte(p.Email+":"+p.Password))}
}

// Identity reads the person's identity from Kratos, past all proxies.
func (p *Person) Identity(t testing.TB) Identity {
	t.Helper()
	i, err := p.TryIdentity()
	if err != nil {
		t.Fatalf("read identity: %v", err)
	}
	return i
}

// TryIdentity is Identity for where a test cannot be ended.
func (p *Person) TryIdentity() (Identity, error) {
	var i Identity
	answer, err := TrySend(http.MethodGet, p.stack.Kratos.AdminURL+"/admin/identities/"+p.ID+"?include_credential=code", "")
	if err != nil {
		return i, err
	}
	if answer.Status != http.StatusOK {
		return i, fmt.Errorf("%d %s", answer.Status, answer.Body)
	}
	return i, json.Unmarshal([]byte(answer.Body), &i)
}

// Eventually polls the person's identity.
func (p *Person) Eventually(t testing.TB, what string, condition func(Identity) bool) Identity {
	t.Helper()
	var seen Identity
	Eventually(t, what, func() error {
		if seen = p.Identity(t); !condition(seen) {
			return fmt.Errorf("mobile %q (verified %v), pending %q", seen.Traits.Mobile, seen.MobileVerified(), seen.Pending())
		}
		return nil
	})
	return seen
}

// Overwrite changes the person's number past Holdline, as an administrator may.
func (p *Person) Overwrite(t testing.TB, mobile string) {
	t.Helper()
	answer, err := p.TryOverwrite(mobile)
	if err != nil || answer.Status != http.StatusOK {
		t.Fatalf("overwrite: %d %s %v", answer.Status, answer.Body, err)
	}
}

// TryOverwrite is Overwrite where Kratos may break down meanwhile.
func (p *Person) TryOverwrite(mobile string) (Answer, error) {
	return TrySend(http.MethodPatch, p.stack.Kratos.AdminURL+"/admin/identities/"+p.ID,
		`[{"op":"add","path":"/traits/mobile","value":"`+mobile+`"}]`, JSONBody)
}

// Delete removes the person's identity from Kratos.
func (p *Person) Delete(t testing.TB) {
	t.Helper()
	answer, err := p.TryDelete()
	if err != nil || answer.Status != http.StatusNoContent {
		t.Fatalf("delete: %d %s %v", answer.Status, answer.Body, err)
	}
}

// TryDelete is Delete where Kratos may break down meanwhile.
func (p *Person) TryDelete() (Answer, error) {
	return TrySend(http.MethodDelete, p.stack.Kratos.AdminURL+"/admin/identities/"+p.ID, "")
}

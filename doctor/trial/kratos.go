package trial

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/holdline/holdline/doctor"
)

// kratos speaks to one: identities by the admin API, forms by the flows for apps.
type kratos struct {
	public, admin string
	http          *http.Client
}

// longestAnswer bounds what is read of Kratos.
const longestAnswer = 1 << 20

// answer is what Kratos says. Its body is read as far as it is known here.
type answer struct {
	status int
	body   []byte
}

func (a answer) ok() bool { return a.status >= 200 && a.status < 300 }

// read fills in what is known of the body; what it is not, stays empty.
func (a answer) read(into any) { _ = json.Unmarshal(a.body, into) }

// ask makes one request. The error, in words of our own, says why there is no answer.
func (k kratos) ask(ctx context.Context, method, base, path, session string, in any) (answer, error) {
	var body io.Reader
	if in != nil {
		content, err := json.Marshal(in)
		if err != nil {
			return answer{}, fmt.Errorf("write a request: %w", err)
		}
		body = bytes.NewReader(content)
	}
	req, err := http.NewRequestWithContext(ctx, method, strings.TrimSuffix(base, "/")+path, body)
	if err != nil {
		return answer{}, errors.New("the address of Kratos cannot be used")
	}
	req.Header.Set("Accept", "application/json")
	req.Header.Set("User-Agent", "holdline doctor")
	if in != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if session != "" {
		req.Header.Set("X-Session-Token", session)
	}
	resp, err := k.http.Do(req)
	if err != nil {
		if ctx.Err() != nil {
			return answer{}, fmt.Errorf("the wait for Kratos ended: %w", context.Cause(ctx))
		}
		return answer{}, fmt.Errorf("no answer of Kratos: %w", doctor.Unanswered(err))
	}
	defer resp.Body.Close()
	content, err := io.ReadAll(io.LimitReader(resp.Body, longestAnswer))
	if err != nil {
		return answer{}, fmt.Errorf("no answer of Kratos: %w", doctor.Unanswered(err))
	}
	return answer{resp.StatusCode, content}, nil
}

// marker is the member of metadata_admin that tells the identities of trials. Nobody but
// the admin API can write it.
const marker = "holdline_doctor"

type identity struct {
	ID        string         `json:"id"`
	Traits    map[string]any `json:"traits"`
	Public    map[string]any `json:"metadata_public"`
	Admin     map[string]any `json:"metadata_admin"`
	Addresses []struct {
		Value    string `json:"value"`
		Verified bool   `json:"verified"`
	} `json:"verifiable_addresses"`
}

// run names the run of the doctor that an identity is of.
func (i identity) run() string {
	text, _ := object(i.Admin[marker])["run"].(string)
	return text
}

// began tells whether an identity is a trial's, and since when.
func (i identity) began() (at time.Time, is bool) {
	text, _ := object(i.Admin[marker])["began"].(string)
	at, err := time.Parse(time.RFC3339, text)
	return at, err == nil
}

func (i identity) isVerified(number string) bool {
	for _, a := range i.Addresses {
		if a.Value == number && a.Verified {
			return true
		}
	}
	return false
}

// create makes the identity; taken says that another one has its number or its name.
func (k kratos) create(ctx context.Context, schema, password string, traits map[string]any, addresses []address, run string, began time.Time) (made identity, taken bool, err error) {
	verified := make([]map[string]any, len(addresses))
	for i, a := range addresses {
		verified[i] = map[string]any{"value": a.value, "via": a.via, "verified": true, "status": "completed"}
	}
	a, err := k.ask(ctx, http.MethodPost, k.admin, "/admin/identities", "", map[string]any{
		"schema_id": schema, "state": "active", "traits": traits, "verifiable_addresses": verified,
		"credentials":    map[string]any{"password": map[string]any{"config": map[string]any{"password": password}}},
		"metadata_admin": map[string]any{marker: map[string]any{"run": run, "began": began.UTC().Format(time.RFC3339)}},
	})
	switch {
	case err != nil:
		return identity{}, false, err
	case a.status == http.StatusConflict:
		return identity{}, true, nil
	case !a.ok():
		return identity{}, false, fmt.Errorf("no identity of the schema %s is made: %s", schema, a.words())
	}
	a.read(&made)
	if made.ID == "" {
		return identity{}, false, errors.New("the admin API does not answer as that of Kratos does")
	}
	return made, false, nil
}

// byIdentifier finds the identity of a trial that signs in by an identifier; nil for none,
// or for one that is no trial's.
func (k kratos) byIdentifier(ctx context.Context, identifier string) (*identity, error) {
	a, err := k.ask(ctx, http.MethodGet, k.admin, "/admin/identities?credentials_identifier="+url.QueryEscape(identifier), "", nil)
	if err != nil {
		return nil, err
	}
	if !a.ok() {
		return nil, fmt.Errorf("the admin API of Kratos answers %d: %s", a.status, a.words())
	}
	var found []identity
	a.read(&found)
	for _, i := range found {
		if _, is := i.began(); is {
			return &i, nil
		}
	}
	return nil, nil //nolint:nilnil // None is no error.
}

// get reads an identity; nil if it is gone.
func (k kratos) get(ctx context.Context, id string) (*identity, error) {
	a, err := k.ask(ctx, http.MethodGet, k.admin, "/admin/identities/"+url.PathEscape(id), "", nil)
	switch {
	case err != nil:
		return nil, err
	case a.status == http.StatusNotFound:
		return nil, nil //nolint:nilnil // None is no error.
	case !a.ok():
		return nil, fmt.Errorf("the admin API of Kratos answers %d: %s", a.status, a.words())
	}
	var i identity
	a.read(&i)
	return &i, nil
}

// remove deletes an identity, with its sessions. One that is gone is no error.
func (k kratos) remove(ctx context.Context, id string) error {
	a, err := k.ask(ctx, http.MethodDelete, k.admin, "/admin/identities/"+url.PathEscape(id), "", nil)
	if err == nil && !a.ok() && a.status != http.StatusNotFound {
		err = fmt.Errorf("the admin API of Kratos answers %d: %s", a.status, a.words())
	}
	return err
}

// signIn returns the token of a new session.
func (k kratos) signIn(ctx context.Context, identifier, password string) (string, error) {
	flow, err := k.flow(ctx, "login", "")
	if err != nil {
		return "", err
	}
	a, err := k.ask(ctx, http.MethodPost, k.public, "/self-service/login?flow="+url.QueryEscape(flow), "",
		map[string]any{"method": "password", "identifier": identifier, "password": password})
	if err != nil {
		return "", err
	}
	var signedIn struct {
		Token string `json:"session_token"`
	}
	if a.read(&signedIn); signedIn.Token == "" {
		return "", fmt.Errorf("no sign-in with a password: %s", a.words())
	}
	return signedIn.Token, nil
}

// flow begins a flow for apps.
func (k kratos) flow(ctx context.Context, kind, session string) (string, error) {
	a, err := k.ask(ctx, http.MethodGet, k.public, "/self-service/"+kind+"/api", session, nil)
	if err != nil {
		return "", err
	}
	var flow struct {
		ID string `json:"id"`
	}
	if a.read(&flow); !a.ok() || flow.ID == "" {
		return "", fmt.Errorf("no %s flow begins: %s", kind, a.words())
	}
	return flow.ID, nil
}

// save fills in the settings form.
func (k kratos) save(ctx context.Context, session string, traits map[string]any) (answer, error) {
	flow, err := k.flow(ctx, "settings", session)
	if err != nil {
		return answer{}, err
	}
	return k.ask(ctx, http.MethodPost, k.public, "/self-service/settings?flow="+url.QueryEscape(flow), session,
		map[string]any{"method": "profile", "traits": traits})
}

// longestWords bounds what is repeated of Kratos.
const longestWords = 400

// words are what Kratos says to the person, or to the program, in an answer that is no yes.
func (a answer) words() string {
	type message struct{ Text string }
	var said struct {
		Error struct{ Message, Reason string }
		UI    struct {
			Messages []message
			Nodes    []struct{ Messages []message }
		}
	}
	a.read(&said)
	var all []string
	add := func(text string) {
		if text = strings.TrimSpace(text); text != "" {
			all = append(all, text)
		}
	}
	for _, m := range said.UI.Messages {
		add(m.Text)
	}
	for _, n := range said.UI.Nodes {
		for _, m := range n.Messages {
			add(m.Text)
		}
	}
	add(said.Error.Reason)
	if len(all) == 0 {
		add(said.Error.Message)
	}
	if len(all) == 0 {
		return fmt.Sprintf("it answers %d", a.status)
	}
	text := strings.Join(strings.Fields(strings.Join(all, " ")), " ")
	if runes := []rune(text); len(runes) > longestWords {
		text = string(runes[:longestWords]) + "…"
	}
	return text
}

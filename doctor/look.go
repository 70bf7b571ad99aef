package doctor

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"syscall"
	"time"

	"github.com/holdline/holdline/hook"
)

// longestAnswer bounds what is read of a server.
const longestAnswer = 64 << 10

// Looker asks servers. It sends no text, and changes nothing.
type Looker struct {
	Client *http.Client // with a time-out; it follows no redirects
	Now    func() time.Time
}

// NewLooker returns a looker that waits for an answer no longer than the timeout.
func NewLooker(timeout time.Duration, now func() time.Time) Looker {
	return Looker{Now: now, Client: &http.Client{
		Timeout:       timeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// reply is what a server answered.
type reply struct {
	status int
	body   []byte
	ahead  *time.Duration // of its clock to this machine's; nil if it does not say
}

// ask makes one request. The error has neither credentials nor what was answered.
func (l Looker) ask(ctx context.Context, method, base, path, hookKey string) (reply, error) {
	address, err := url.JoinPath(base, strings.Split(path, "/")...)
	if err != nil {
		return reply{}, errors.New("its address cannot be used")
	}
	var body io.Reader
	if method == http.MethodPost {
		body = strings.NewReader("{}")
	}
	req, err := http.NewRequestWithContext(ctx, method, address, body)
	if err != nil {
		return reply{}, errors.New("its address cannot be used")
	}
	req.Header.Set("Accept", "application/json")
	req.Header.Set("User-Agent", "holdline doctor")
	if method == http.MethodPost {
		req.Header.Set("Content-Type", "application/json")
	}
	if hookKey != "" {
		req.Header.Set(hook.KeyHeader, hookKey)
	}
	sent := l.Now()
	resp, err := l.Client.Do(req)
	if err != nil {
		return reply{}, unanswered(err)
	}
	defer resp.Body.Close()
	half := l.Now().Sub(sent) / 2
	r := reply{status: resp.StatusCode}
	if date, err := http.ParseTime(resp.Header.Get("Date")); err == nil {
		ahead := date.Sub(sent.Add(half))
		r.ahead = &ahead
	}
	r.body, _ = io.ReadAll(io.LimitReader(resp.Body, longestAnswer)) // half an answer is judged as it is
	return r, nil
}

// unanswered says in fixed words why there is no answer: what net/http says has
// the URL in it.
func unanswered(err error) error {
	var lookup *net.DNSError
	var timeout net.Error
	switch {
	case errors.As(err, &lookup):
		return errors.New("the host's address cannot be found")
	case errors.Is(err, syscall.ECONNREFUSED):
		return errors.New("the connection is refused")
	case errors.As(err, &timeout) && timeout.Timeout():
		return errors.New("no answer came in time")
	default:
		return errors.New("the connection breaks, its certificate is not trusted, or the answer is not HTTP")
	}
}

// ready asks whether a server of Ory's kind is ready.
func (l Looker) ready(ctx context.Context, base, path string) (reply, error) {
	r, err := l.ask(ctx, http.MethodGet, base, path, "")
	if err == nil && r.status != http.StatusOK {
		err = fmt.Errorf("it answers %d to %s", r.status, path)
	}
	return r, err
}

// Kratos looks at a realm's Kratos. Its schemas are for the caller to add.
func (l Looker) Kratos(ctx context.Context, r Realm) Kratos {
	var seen Kratos
	public, err := l.ready(ctx, r.PublicURL, "health/ready")
	seen.PublicErr, seen.Ahead = err, public.ahead
	if _, seen.AdminErr = l.ready(ctx, r.AdminURL, "admin/health/ready"); seen.AdminErr == nil {
		var said struct {
			Version string `json:"version"`
		}
		if answer, err := l.ask(ctx, http.MethodGet, r.AdminURL, "admin/version", ""); err == nil && json.Unmarshal(answer.body, &said) == nil {
			seen.Version = said.Version
		}
	}
	seen.AdminOnPublic = l.servesAdmin(ctx, r.BrowserURL) || r.BrowserURL != r.PublicURL && l.servesAdmin(ctx, r.PublicURL)
	seen.HookAddresses = l.resolve(ctx, r)
	return seen
}

// servesAdmin tells whether an address answers for Kratos' admin API.
func (l Looker) servesAdmin(ctx context.Context, base string) bool {
	r, err := l.ask(ctx, http.MethodGet, base, "admin/health/ready", "")
	var said struct {
		Status string `json:"status"`
	}
	return err == nil && r.status == http.StatusOK && json.Unmarshal(r.body, &said) == nil && said.Status == "ok"
}

// resolve looks the hosts of hooks up.
func (l Looker) resolve(ctx context.Context, r Realm) map[string][]string {
	found := map[string][]string{}
	if r.File == nil || !r.File.isOn("clients.http.disallow_private_ip_ranges", false) {
		return found
	}
	for _, h := range r.File.hooks(profileHooks, nil) {
		if u, err := url.Parse(h.url); err == nil && u.Hostname() != "" {
			found[u.Hostname()], _ = net.DefaultResolver.LookupHost(ctx, u.Hostname())
		}
	}
	return found
}

// noHookKey is the code of Holdline's answer to a call without a key; web/fault.go
// has it.
const noHookKey = "HLD-40102"

// Holdline looks at the program that serves: whether it answers where Kratos is to
// call it, takes the hook key, and keeps the hooks off its public address. The
// calls have no identity in them, so that nothing comes of them.
func (l Looker) Holdline(ctx context.Context, admin, public, hookKey string) Holdline {
	seen := Holdline{Admin: admin}
	if _, seen.Err = l.ready(ctx, admin, "health/alive"); seen.Err == nil {
		answer, err := l.ask(ctx, http.MethodPost, admin, hook.StagePath, hookKey)
		seen.Err, seen.Refuse = err, answer.status == http.StatusUnauthorized
	}
	if public == "" {
		return seen
	}
	answer, err := l.ask(ctx, http.MethodPost, public, hook.StagePath, "")
	if err == nil && answer.status == http.StatusUnauthorized && strings.Contains(string(answer.body), noHookKey) {
		seen.Exposed, _ = url.JoinPath(public, hook.StagePath)
	}
	return seen
}

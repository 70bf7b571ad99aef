package probe

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
	"time"

	"github.com/holdline/holdline/doctor"
	"github.com/holdline/holdline/hook"
)

// longestAnswer bounds what is read of a server.
const longestAnswer = 64 << 10

// Prober asks servers. It sends no text, and changes nothing.
type Prober struct {
	Client *http.Client // with a time-out; it follows no redirects
	Now    func() time.Time
}

// NewProber returns a prober that waits for an answer no longer than the timeout.
func NewProber(timeout time.Duration, now func() time.Time) Prober {
	return Prober{Now: now, Client: &http.Client{
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

type header struct{ name, value string }

// ask makes one request. The error, in fixed words, says that the address cannot be
// used, or why there is no answer; it has neither credentials nor what was answered.
func (p Prober) ask(ctx context.Context, method, base, path string, headers ...header) (reply, error) {
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
	for _, h := range headers {
		req.Header.Set(h.name, h.value)
	}
	sent := p.Now()
	resp, err := p.Client.Do(req)
	if err != nil {
		return reply{}, doctor.Unanswered(err)
	}
	defer resp.Body.Close()
	half := p.Now().Sub(sent) / 2
	r := reply{status: resp.StatusCode}
	if date, err := http.ParseTime(resp.Header.Get("Date")); err == nil {
		ahead := date.Sub(sent.Add(half))
		r.ahead = &ahead
	}
	r.body, _ = io.ReadAll(io.LimitReader(resp.Body, longestAnswer)) // half an answer is judged as it is
	return r, nil
}

// ready asks whether a server of Ory's kind is ready.
func (p Prober) ready(ctx context.Context, base, path string) (reply, error) {
	r, err := p.ask(ctx, http.MethodGet, base, path)
	if err == nil && r.status != http.StatusOK {
		err = fmt.Errorf("it answers %d to %s", r.status, path)
	}
	return r, err
}

// Kratos looks at a realm's Kratos. Its schemas are for the caller to add.
func (p Prober) Kratos(ctx context.Context, r doctor.Realm) doctor.Kratos {
	var seen doctor.Kratos
	public, err := p.ready(ctx, r.PublicURL, "health/ready")
	seen.PublicErr, seen.Ahead = err, public.ahead
	if _, seen.AdminErr = p.ready(ctx, r.AdminURL, "admin/health/ready"); seen.AdminErr == nil {
		var said struct {
			Version string `json:"version"`
		}
		if answer, err := p.ask(ctx, http.MethodGet, r.AdminURL, "admin/version"); err == nil && json.Unmarshal(answer.body, &said) == nil {
			seen.Version = said.Version
		}
	}
	seen.AdminOnPublic = p.servesAdmin(ctx, r.BrowserURL) || r.BrowserURL != r.PublicURL && p.servesAdmin(ctx, r.PublicURL)
	seen.HookAddresses, seen.HookAnswers = p.hooks(ctx, r)
	return seen
}

// servesAdmin reports whether an address answers for Kratos' admin API.
func (p Prober) servesAdmin(ctx context.Context, base string) bool {
	r, err := p.ask(ctx, http.MethodGet, base, "admin/health/ready")
	var said struct {
		Status string `json:"status"`
	}
	return err == nil && r.status == http.StatusOK && json.Unmarshal(r.body, &said) == nil && said.Status == "ok"
}

// hooks looks at what the hooks of kratos.yml call: what their hosts resolve to,
// where Kratos keeps off private addresses, and who answers at those that are not
// where the printed ones are.
func (p Prober) hooks(ctx context.Context, r doctor.Realm) (addresses map[string][]string, answers map[string]doctor.HookAnswer) {
	addresses, answers = map[string][]string{}, map[string]doctor.HookAnswer{}
	for _, target := range r.HookTargets() {
		if target.Resolve {
			addresses[target.Host], _ = net.DefaultResolver.LookupHost(ctx, target.Host)
		}
		if _, asked := answers[target.URL]; !asked && target.Elsewhere {
			answers[target.URL] = p.hook(ctx, target.URL, "", r.Hook.Key, false)
		}
	}
	return addresses, answers
}

// The codes of Holdline's answers to a call of a hook without a key, and without an
// identity; internal/web/problem.go has them.
const (
	noHookKey  = "HLD-40102"
	noIdentity = "HLD-40001"
)

// hook calls a hook, with the key or without it. Either way the call shows Holdline that
// it is the doctor's.
func (p Prober) hook(ctx context.Context, base, path, hookKey string, show bool) doctor.HookAnswer {
	headers := []header{{hook.DoctorHeader, hook.DoctorProof(hookKey, p.Now())}}
	if show {
		headers = append(headers, header{hook.KeyHeader, hookKey})
	}
	answer, err := p.ask(ctx, http.MethodPost, base, path, headers...)
	has := func(code string) bool { return strings.Contains(string(answer.body), `"`+code+`"`) }
	return doctor.HookAnswer{Err: err, Status: answer.status, Own: err == nil &&
		(answer.status == http.StatusUnauthorized && has(noHookKey) || answer.status == http.StatusBadRequest && has(noIdentity))}
}

// Holdline looks at the program that serves: whether it answers where each realm's
// Kratos is to call it, takes the realm's hook key, and keeps the hooks off its
// public address. That something answers is not enough: a server that says yes to
// all lets every number through.
func (p Prober) Holdline(ctx context.Context, public string, realms ...doctor.Realm) doctor.Holdline {
	seen := doctor.Holdline{Hooks: map[string]doctor.HookAnswer{}}
	for _, r := range realms {
		seen.Admin = r.Hook.BaseURL // of all realms
		seen.Hooks[r.Name] = p.hook(ctx, r.Hook.BaseURL, hook.StagePath, r.Hook.Key, true)
	}
	if public == "" || len(realms) == 0 {
		return seen
	}
	if p.hook(ctx, public, hook.StagePath, realms[0].Hook.Key, false).Keyless() {
		seen.Exposed, _ = url.JoinPath(public, hook.StagePath)
	}
	return seen
}

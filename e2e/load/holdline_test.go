package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/holdline/holdline/e2e/harness"
	"github.com/holdline/holdline/internal/kratostest"
)

type tree = map[string]any

// scimToken is the SCIM client's bearer token.
const scimToken = "hlt_bench-token-of-no-importance"

// changer is a Holdline whose users change their numbers: the number is requested, the
// code comes by text, is typed, the number is written, the old number gets its notice.
type changer struct {
	database
	name     string
	holding  *harness.Holdline
	provider *provider
	way
	users []person

	made    atomic.Int64 // people
	changes atomic.Int64
	earlier int // claims that were there before
	mu      sync.Mutex
	acted   map[string]person // who changed the number in the block, as they last did
	texts   map[string]int    // that must come, by number
}

// way is how people come, and change their numbers.
type way interface {
	// newcomer is the person who changes a number next, in the place of one who has.
	newcomer(c *changer, user int, last person) (person, error)
	request(p person) error
	confirm(p person, code string) error
	// done reports whether the identity has the new number, verified, and none pending.
	done(p person) (bool, error)
	leave(p person)
	others() []int
	calls() int64 // to Kratos; 0 if nobody counts
}

// person is somebody who changes the number.
type person struct {
	n           int64 // unlike anybody else's
	id, flow    string
	was, mobile string // the number before and after
	account     *harness.Person
}

// number is one that only this person has.
func number(kind, n int64) string { return fmt.Sprintf("+4915%d%08d", kind, n) }

// options make a changer other than the usual one.
type options struct {
	program string // blank for the one under test
	scim    bool   // numbers are requested by a SCIM client
	delay   time.Duration
	earlier *history
}

// startChanger starts a Holdline with a double of Kratos, and lets it make some changes.
// All but the addresses is its default; its limits are far from being reached.
func startChanger(b *testing.B, s *site, name string, o options) *changer {
	b.Helper()
	c := &changer{name: name, provider: newProvider(o.delay), acted: map[string]person{}, texts: map[string]int{}}
	if o.earlier != nil {
		c.database = s.at(b, o.earlier.copied(b, s))
		c.earlier = o.earlier.claims
	} else {
		c.database = s.fresh(b)
	}
	d := &doubles{
		Double: kratostest.NewDouble(time.Now), scim: o.scim,
		client: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: mostUsers, DisableCompression: true}},
	}
	c.way = d
	kratosURL := serve(b, d.Double)
	digest := sha256.Sum256([]byte(scimToken))
	c.holding = harness.NewHoldline(b, o.program, tree{
		"database": tree{"dsn": c.dsn, "auto_migrate": true},
		"public":   tree{"trusted_proxies": []string{"127.0.0.1"}},
		"secrets":  tree{"otp": []string{"bench secret of at least 32 characters"}},
		"kratos":   tree{"public_url": kratosURL, "admin_url": kratosURL},
		"hooks":    tree{"api_key": harness.HookKey},
		"tokens":   []tree{{"name": "okta", "sha256": hex.EncodeToString(digest[:]), "scopes": []string{"scim:read", "scim:write"}}},
		"scim":     tree{"enabled": o.scim, "reconcile_interval": "24h"},
		"sms":      tree{"gateways": []any{gateway(serve(b, c.provider))}},
	})
	d.publicURL, d.adminURL = c.holding.PublicURL, c.holding.AdminURL
	c.warmUp(b)
	return c
}

func newProvider(delay time.Duration) *provider {
	return &provider{delay: delay, boxes: map[string]*inbox{}}
}

// serve lets a double answer until the benchmark ends.
func serve(b *testing.B, handler http.Handler) string {
	b.Helper()
	server := httptest.NewServer(handler)
	b.Cleanup(server.Close)
	return server.URL
}

// warmUp makes some changes, and measures nothing.
func (c *changer) warmUp(b *testing.B) {
	b.Helper()
	const users, changes = 10, 20
	must(b, c.arrive(users))
	var group sync.WaitGroup
	faults := make([]error, users)
	for user := range users {
		group.Go(func() {
			for range changes {
				if faults[user] = c.once(b.Context(), user); faults[user] != nil {
					return
				}
			}
		})
	}
	group.Wait()
	for _, err := range faults {
		must(b, err)
	}
	must(b, c.settle())
}

func (c *changer) arrive(users int) (err error) {
	c.users = make([]person, users)
	for user := range c.users {
		if c.users[user], err = c.newcomer(c, user, person{}); err != nil {
			return err
		}
	}
	return nil
}

// once is a whole change, up to the answer to the code.
func (c *changer) once(ctx context.Context, user int) error {
	p := c.users[user]
	if err := c.request(p); err != nil {
		return fmt.Errorf("%s: request: %w", c.name, err)
	}
	code, err := c.provider.wanted(ctx, p.mobile)
	if err != nil {
		return fmt.Errorf("%s: a code never came: %w", c.name, err)
	}
	if err := c.confirm(p, code); err != nil {
		return fmt.Errorf("%s: confirm: %w", c.name, err)
	}
	c.changes.Add(1)
	c.mu.Lock()
	c.acted[p.id] = p
	c.texts[p.mobile]++
	c.texts[p.was]++
	c.mu.Unlock()
	c.users[user], err = c.newcomer(c, user, p)
	return err
}

func (c *changer) counters() (map[string]float64, error) {
	found, err := c.database.counters()
	if err != nil {
		return nil, err
	}
	if calls := c.calls(); calls > 0 {
		found["kratos-calls/op"] = float64(calls)
	}
	if kratos := c.way.others(); kratos != nil {
		found["kratos-cpu-ms/op"] = cpuOf(kratos...) * 1000
	}
	return found, nil
}

func (c *changer) holdline() []int { return []int{c.holding.PID()} }
func (c *changer) others() []int   { return append(c.way.others(), c.pids()...) }

// settle waits until no text is queued and no claim under way any more, and checks that
// every number of the block was written.
func (c *changer) settle() error {
	err := until(c.name+": all texts are sent, and all numbers written", func() (bool, error) {
		var queued, held int
		err := c.pool.QueryRow("SELECT (SELECT COUNT(*) FROM texts WHERE state = 'queued'), "+
			"(SELECT COUNT(*) FROM claims WHERE held_identity IS NOT NULL)").Scan(&queued, &held)
		return queued+held == 0, err
	})
	for _, p := range c.acted {
		if err != nil {
			return err
		}
		var done bool
		if done, err = c.done(p); err == nil && !done {
			err = fmt.Errorf("%s: the number of %s was lost", c.name, p.id)
		}
		c.leave(p)
	}
	clear(c.acted)
	if err == nil {
		// Workers look at an identity again 5 and 100 seconds after its number was written.
		// A block is shorter, and what comes then would fall on others.
		_, err = c.pool.Exec("UPDATE claims SET due_at = NULL WHERE state = 'applied' AND due_at IS NOT NULL")
	}
	return err
}

// check fails the benchmark if anything was lost or doubled since the start, when a
// second text has had all the time to come.
func (c *changer) check(b *testing.B) {
	b.Helper()
	var claims, applied int
	must(b, c.pool.QueryRow("SELECT COUNT(*), SUM(CASE WHEN state = 'applied' THEN 1 ELSE 0 END) FROM claims").Scan(&claims, &applied))
	// A real Kratos may fail after the first hook; then the form is sent again.
	_, once := c.way.(*doubles)
	if want := c.earlier + int(c.changes.Load()); applied != want || once && claims != want {
		b.Errorf("%s: of %d changes there are %d claims, %d of them applied", c.name, want, claims, applied)
	}
	got := c.provider.texts()
	for number, want := range c.texts {
		if got[number] != want {
			b.Errorf("%s: a number got %d texts, want %d", c.name, got[number], want)
		}
		delete(got, number)
	}
	if len(got) > 0 {
		b.Errorf("%s: %d numbers got texts, and should not", c.name, len(got))
	}
}

// doubles are Kratos in memory. Everybody changes the number once.
type doubles struct {
	*kratostest.Double
	scim                bool
	publicURL, adminURL string
	client              *http.Client
}

func (d *doubles) newcomer(c *changer, _ int, _ person) (person, error) {
	n := c.made.Add(1)
	p := person{n: n, id: uuid.NewString(), flow: uuid.NewString(), was: number(1, n), mobile: number(2, n)}
	d.Store(kratostest.Identity{
		ID: p.id, SchemaID: "default", State: "active",
		Traits: tree{"username": p.id, "mobile": p.was}, MetadataPublic: tree{}, MetadataAdmin: tree{},
		Addresses: []kratostest.Address{{Value: p.was, Via: "sms", Status: "completed", Verified: true}},
	})
	return p, nil
}

var jsonType = []string{"application/json"}

func (d *doubles) request(p person) error {
	if !d.scim {
		return d.SaveForm(func(path string, body []byte) (int, []byte, error) {
			return send(d.client, http.MethodPost, d.adminURL+path, body, http.Header{"Content-Type": jsonType, "X-Hook-Key": {harness.HookKey}})
		}, p.id, p.flow, p.mobile)
	}
	body := fmt.Appendf(nil, `{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[{"op":"replace","value":{`+
		`"phoneNumbers":[{"type":"mobile","value":%q}],`+
		`"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"verifyMobile":true}}}]}`, p.mobile)
	// Each person from an address of their own.
	address := fmt.Sprintf("10.%d.%d.%d", p.n>>16&255, p.n>>8&255, p.n&255)
	return sent(http.StatusOK)(send(d.client, http.MethodPatch, d.publicURL+"/scim2/Users/"+p.id, body, http.Header{
		"Content-Type": {"application/scim+json"}, "Authorization": {"Bearer " + scimToken}, "X-Forwarded-For": {address},
	}))
}

func (d *doubles) confirm(p person, code string) error {
	return sent(http.StatusAccepted)(send(d.client, http.MethodPost, d.publicURL+harness.UserAPI+"/me/validate-code",
		[]byte(`{"code":"`+code+`"}`), http.Header{"Content-Type": jsonType, "X-Session-Token": {p.id}}))
}

func (d *doubles) done(p person) (bool, error) {
	stored, _ := d.Identity(p.id)
	mobile, verified := stored.Mobile()
	return mobile == p.mobile && verified && stored.Pending() == "", nil
}

func (d *doubles) leave(p person) { d.Remove(p.id) }
func (*doubles) others() []int    { return nil }
func (d *doubles) calls() int64   { return d.Calls() }

// send sends a body and reads the answer.
func send(client *http.Client, method, url string, body []byte, header http.Header) (int, []byte, error) {
	request, err := http.NewRequest(method, url, bytes.NewReader(body))
	if err != nil {
		return 0, nil, err
	}
	request.Header = header
	response, err := client.Do(request)
	if err != nil {
		return 0, nil, err
	}
	defer func() { _ = response.Body.Close() }()
	said, err := io.ReadAll(response.Body)
	return response.StatusCode, said, err
}

// sent makes an error of an answer whose status is not the one wanted.
func sent(want int) func(int, []byte, error) error {
	return func(status int, said []byte, err error) error {
		if err == nil && status != want {
			err = fmt.Errorf("status %d: %.500s", status, said)
		}
		return err
	}
}

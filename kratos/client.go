package kratos

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
	kratos "github.com/ory/kratos-client-go"
	"golang.org/x/sync/semaphore"
	"golang.org/x/sync/singleflight"

	"github.com/holdline/holdline/internal/claim"
	"github.com/holdline/holdline/internal/phone"
	"github.com/holdline/holdline/internal/ratelimit"
	"github.com/holdline/holdline/internal/scim"
)

// Options say where Kratos is, how its identities are laid out, and how hard
// passwords may be tried.
type Options struct {
	PublicURL   string
	AdminURL    string
	MobileTrait string // a top-level trait
	PendingKey  string // the marker's key in metadata_public
	LocaleTrait string // a top-level trait that names a language; blank for none
	EmailTrait  string // a top-level trait, for identities without e-mail addresses; blank for none
	// PrivilegedKey is a key in metadata_admin that makes an identity a privileged
	// person where it is true; blank for nobody.
	PrivilegedKey string
	Plan          phone.Parser
	// SessionCookie is the session cookie's name, "ory_kratos_session" if blank.
	// Cookies that begin with "ory_session_" (Ory Network) count as well.
	SessionCookie string
	Timeout       time.Duration // of each request; 0 for 3 seconds
	PasswordCost  int           // of bcrypt; 0 for 12, Kratos' own default
	Now           func() time.Time
	HTTP          *http.Client // nil for one of its own; its cookie jar is not used
	Log           *slog.Logger // nil for none
	// Written hears of identities that Adopt, Mark and Unmark have written, as Kratos
	// answered. It must not wait; nil for nobody.
	Written func(scim.Record)

	// Observe hears of each request to Kratos, by what it is for, and of its end; the
	// request is made under the context that it returns. Nil for nobody.
	Observe func(ctx context.Context, operation string) (context.Context, func(error))
	// Around changes requests on their way to Kratos; nil for none.
	Around func(http.RoundTripper) http.RoundTripper

	// Limiter counts wrong passwords: LoginFailures of a user name at once, and
	// then as many in each LoginWindow (0 for 15 minutes); 0 for any number, which
	// needs no limiter.
	Limiter       ratelimit.Limiter
	LoginFailures int
	LoginWindow   time.Duration
	// LoginCache is how long Kratos is spared comparing a right password again while
	// it shows the same credentials; 0 for 60 seconds, less for never.
	LoginCache time.Duration
	// HashKey hashes what is remembered, and the names that the limiter counts by.
	// Replicas count together if they have the same; random if nil.
	HashKey []byte
}

// failures are the wrong passwords that a user name may have.
func (o Options) failures() ratelimit.Limit {
	return ratelimit.Limit{Most: o.LoginFailures, Window: o.LoginWindow}
}

const (
	defaultCookie  = "ory_kratos_session"
	defaultTimeout = 3 * time.Second
	defaultWindow  = 15 * time.Minute
	defaultCost    = 12
	defaultCache   = time.Minute

	mostSchemas = 1024
	mostLogins  = 1 << 14
	mostRevokes = 16
	// mostComparisons bounds the passwords that Kratos compares at once for one process:
	// with argon2id's default of 128 MB each, that is a gigabyte.
	mostComparisons = 8
)

// Client is one Kratos. It is a [claim.Identities].
type Client struct {
	opt    Options
	public *kratos.APIClient
	admin  *kratos.APIClient
	http   *http.Client

	schemas *lru.Cache[string, schema]
	reads   singleflight.Group

	logins      *lru.Cache[digest, remembered]
	signIns     singleflight.Group
	comparisons *semaphore.Weighted
	work        *work
}

var _ claim.Identities = (*Client)(nil)

// New checks the options and makes a directory. It does not call Kratos yet.
func New(opt Options) (*Client, error) {
	if err := opt.check(); err != nil {
		return nil, err
	}
	opt.fill()
	d := &Client{
		opt: opt, http: newHTTP(opt.HTTP, opt.Around), comparisons: semaphore.NewWeighted(mostComparisons), work: newWork(mostRevokes),
	}
	d.public, d.admin = d.client(opt.PublicURL), d.client(opt.AdminURL)
	var err error
	if d.schemas, err = lru.New[string, schema](mostSchemas); err != nil {
		return nil, err
	}
	if d.logins, err = lru.New[digest, remembered](mostLogins); err != nil {
		return nil, err
	}
	return d, nil
}

func (o Options) check() error {
	var faults []error
	for name, text := range map[string]string{"PublicURL": o.PublicURL, "AdminURL": o.AdminURL} {
		if u, err := url.Parse(text); err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
			faults = append(faults, errors.New("kratos: "+name+" is not an http or https URL"))
		}
	}
	if o.MobileTrait == "" || o.PendingKey == "" {
		faults = append(faults, errors.New("kratos: MobileTrait and PendingKey must be named"))
	}
	if o.Now == nil {
		faults = append(faults, errors.New("kratos: Now is missing"))
	}
	if o.Limiter == nil && o.LoginFailures > 0 {
		faults = append(faults, errors.New("kratos: Limiter is missing"))
	}
	return errors.Join(faults...)
}

func (o *Options) fill() {
	if o.SessionCookie == "" {
		o.SessionCookie = defaultCookie
	}
	if o.Timeout <= 0 {
		o.Timeout = defaultTimeout
	}
	if o.PasswordCost == 0 {
		o.PasswordCost = defaultCost
	}
	if o.LoginWindow <= 0 {
		o.LoginWindow = defaultWindow
	}
	if o.LoginCache == 0 {
		o.LoginCache = defaultCache
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Observe == nil {
		o.Observe = func(ctx context.Context, _ string) (context.Context, func(error)) { return ctx, func(error) {} }
	}
	if o.HashKey == nil {
		o.HashKey = make([]byte, 32)
		_, _ = rand.Read(o.HashKey) // never fails, see crypto/rand
	}
}

// client is Kratos' API at a URL.
func (d *Client) client(base string) *kratos.APIClient {
	cfg := kratos.NewConfiguration()
	cfg.UserAgent = "holdline"
	cfg.HTTPClient = d.http
	cfg.Servers = kratos.ServerConfigurations{{URL: strings.TrimRight(base, "/")}}
	return kratos.NewAPIClient(cfg)
}

// Close refuses further logins, and waits for those under way, and until the
// sessions of earlier ones are revoked; the time-out bounds that. Call it last.
func (d *Client) Close() {
	d.work.close()
	d.http.CloseIdleConnections()
}

// Package hook is where Kratos calls Holdline: before a settings flow is stored
// (stage) and after it is (activate), and after any flow that changed an identity.
// docs/kratos.md says what Kratos makes of each answer; the rule behind this
// package is that no answer may let a changed number through by accident.
package hook

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"log/slog"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/holdline/holdline/internal/audit"
	"github.com/holdline/holdline/internal/claim"
	"github.com/holdline/holdline/internal/phone"
	"github.com/holdline/holdline/internal/problem"
	"github.com/holdline/holdline/internal/ratelimit"
	"github.com/holdline/holdline/internal/web"
)

// Claims is what the hooks do. [claim.Service] does it.
type Claims interface {
	Stage(ctx context.Context, c claim.SettingsChange) (claim.Answer, error)
	Activate(ctx context.Context, f claim.StoredFlow) error
}

// The hooks' paths on the admin listener, and the header that the key comes in.
const (
	StagePath    = "/hooks/settings/stage"
	ActivatePath = "/hooks/settings/activate"
	ChangedPath  = "/hooks/identity/changed"
	KeyHeader    = "X-Hook-Key"
)

// kratos is who calls, as the access log names it; its id is a realm.
const kratos audit.ActorKind = "kratos"

// patience is how long Kratos, and with it the user's browser, is kept waiting
// for a ruling. Kratos itself would wait 30 seconds.
const patience = 8 * time.Second

// Options say how a realm's identities are laid out.
type Options struct {
	Realm       string // blank for the primary one
	Key         string // that the realm's Kratos sends; never blank, and no other realm's
	PreviousKey string // that is taken as well; blank for none
	MobileTrait string
	PendingKey  string // in metadata_public
	// Page is where people type their code; blank if that is the site's own matter.
	Page string
	Plan phone.Parser
	Log  *slog.Logger
	// Documents reads an identity to the digit, for those whose numbers jsonnet cannot
	// keep.
	Documents func(ctx context.Context, identityID string) (Documents, error)
	// Changed hears of identities that a flow made or changed; nil for nobody. It
	// may hear of one twice.
	Changed func(ctx context.Context, identityID string) error
	// Trials are those that the doctor announces; nil takes none.
	Trials Trials
}

// Mount adds the hooks' routes, for one realm or several.
func Mount(r gin.IRouter, server *web.Server, claims Claims, options ...Options) {
	d := newRealms(server, claims, options)
	r.POST(StagePath, d.authenticate(handlers.stage))
	r.POST(ActivatePath, d.authenticate(handlers.activate))
	r.POST(ChangedPath, d.authenticate(handlers.changed))
	if len(options) > 0 && options[0].Trials != nil {
		d.mountTrials(r)
	}
}

// realms serve the Kratos of each, which is known by its key.
type realms struct {
	server   *web.Server
	all      []handlers
	attempts *attempts
}

func newRealms(server *web.Server, claims Claims, options []Options) realms {
	d := realms{server: server, attempts: &attempts{allowance: server.HookKeys}}
	for _, o := range options {
		d.all = append(d.all, handlers{Options: o, server: server, claims: claims})
	}
	return d
}

// authenticate compares digests, so that neither content nor length of a key can be
// measured.
func (d realms) authenticate(to func(handlers, *gin.Context)) gin.HandlerFunc {
	return func(c *gin.Context) {
		network, now := ratelimit.Network(web.ClientAddress(c)), d.server.Now()
		if d.isDoctor(c, now) && c.GetHeader(KeyHeader) == "" {
			d.all[0].Log.InfoContext(c.Request.Context(), "a hook is closed to who has no key", DoctorField, true)
			d.server.Fail(c, web.ErrNoHookKey) // as the doctor hopes: nobody has tried to get in
			return
		}
		if until, ok := d.attempts.take(network, now); !ok {
			d.server.Fail(c, d.server.Failed(c, web.HookKey, &problem.LimitError{Reason: ratelimit.ErrTooManyTries, Until: until}))
			return
		}
		found := d.find(c.GetHeader(KeyHeader))
		if found < 0 {
			d.server.Fail(c, d.server.Failed(c, web.HookKey, web.ErrNoHookKey))
			return
		}
		d.attempts.proved(network)
		d.server.SetActor(c, kratos, d.all[found].Realm)
		to(d.all[found], c)
	}
}

// find returns the index of the realm that a key is of; -1 for none.
func (d realms) find(hookKey string) int {
	got, found := sha256.Sum256([]byte(hookKey)), -1
	for i, h := range d.all {
		for _, key := range []string{h.Key, h.PreviousKey} {
			want := sha256.Sum256([]byte(key))
			if key != "" && subtle.ConstantTimeCompare(got[:], want[:]) == 1 {
				found = i
			}
		}
	}
	return found
}

type handlers struct {
	Options
	server *web.Server
	claims Claims
}

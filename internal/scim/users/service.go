package users

import (
	"context"
	"log/slog"
	"time"

	"github.com/holdline/holdline/internal/audit"
	"github.com/holdline/holdline/internal/claim"
	"github.com/holdline/holdline/internal/phone"
	"github.com/holdline/holdline/internal/scim"
	"github.com/holdline/holdline/internal/scim/filter"
)

// Directory keeps identities. Its errors are those of package directory.
type Directory interface {
	Record(ctx context.Context, id string) (scim.Record, error)
	Create(ctx context.Context, draft scim.Draft) (scim.Record, error)
	// Change makes all operations or none.
	Change(ctx context.Context, id string, operations []scim.Operation) (scim.Record, error)
	Delete(ctx context.Context, id string) error
	// FindByIdentifier returns who signs in by an identifier.
	FindByIdentifier(ctx context.Context, identifier string) (scim.Record, error)
	// Password makes the operation that sets a password, for Change.
	Password(of scim.Record, text string) (scim.Operation, error)
	EndSessions(ctx context.Context, id string) error
	// EndOtherSessions ends all sessions but one, blank for none.
	EndOtherSessions(ctx context.Context, id, keep string) error
}

// Claims decide on mobile numbers. [claim.Service] does.
type Claims interface {
	WithLease(ctx context.Context, identityID string, do func(context.Context) error) error
	Propose(ctx context.Context, seen claim.Identity, c claim.DirectChange) (claim.Proposal, error)
	Settle(ctx context.Context, p claim.Proposal, failure error) error
	ProposeNew(ctx context.Context, c claim.DirectChange) (claim.Proposal, error)
	SettleNew(ctx context.Context, p claim.Proposal, identityID string) error
	Deleted(ctx context.Context, identityID string, who audit.Actor) error
	Proven(ctx context.Context, in *claim.SignIn) error
}

// Options are what a [Service] is made of.
type Options struct {
	Directory Directory
	Claims    Claims
	Index     scim.Index
	Catalogue *Catalogue
	Resource  scim.Resource
	Mode      scim.Mode
	Plan      phone.Parser
	// MobileTrait and PendingKey are where identities have the number and the one
	// that is held back.
	MobileTrait, PendingKey string
	// PrivilegedKey is the key in metadata_admin that makes an identity a privileged
	// person where it is true; blank for nobody.
	PrivilegedKey string
	// SkipNumbers has clients' numbers that cannot be read or are not served left out,
	// instead of refusing the request.
	SkipNumbers bool
	// OwnersMayNot lists attributes, or an extension's URN, that owners cannot change
	// in their own resource.
	OwnersMayNot []string
	// Completing is how long a request waits for an index that is not complete yet.
	Completing time.Duration
	// PasswordMinLength is the fewest characters that a password may have.
	PasswordMinLength int
	// Gone hears of users who were deleted; nil for nobody.
	Gone func(ctx context.Context, id string, who audit.Actor) error
	// Now returns the database's time, in UTC.
	Now func() time.Time
	Log *slog.Logger
}

// Service is what SCIM clients do with users. Its methods may be called at the
// same time, on several replicas.
type Service struct {
	Options
	indexing filter.Indexing
}

// NewService returns a service.
func NewService(o Options) *Service {
	return &Service{o, filter.NewIndexing(o.Resource, filter.FoundBy(), filter.SortedBy())}
}

// By is who makes a request.
type By struct {
	Actor audit.Actor
	// Client names the client whose external ids are meant; blank for people, who
	// have none.
	Client string
	// Blind is a client that may not read.
	Blind bool
	// SignedIn is how a person signed in; nil for a client.
	SignedIn *claim.SignIn
	// Session is their session in Kratos, if that proved who they are.
	Session  string
	Language string
}

// owner reports whether somebody changes their own resource without privilege.
func (b By) owner() bool { return b.Actor.Kind == audit.Owner }

// User is a resource as a client sees it.
type User struct {
	ID, Version string
	Document    map[string]any
	Ungrouped   bool // known to be in no group
}

// seen is what the claims need to know of an identity.
func (s *Service) seen(record scim.Record) claim.Identity {
	known := claim.Identity{ID: record.ID}
	known.Mobile, _ = record.Traits[s.MobileTrait].(string)
	known.Pending, _ = record.MetadataPublic[s.PendingKey].(string)
	mobile := phone.ParseStored(s.Plan, known.Mobile)
	for _, a := range record.Addresses {
		if a.Via == "sms" && a.Verified && !mobile.IsZero() && mobile.IsStored(s.Plan, a.Value) {
			known.Verified = true
		}
	}
	return known
}

package groups

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/holdline/holdline/internal/audit"
	"github.com/holdline/holdline/internal/scim"
)

// Group is a group without its members.
type Group struct {
	ID   string
	Name string // displayName
	// ExternalID is the one that the client gave which asks; blank for none.
	ExternalID string
	// Version grows with every change, of the members too.
	Version          int64
	Created, Updated time.Time
}

// Document is the group as a resource, without members and without what depends on the
// service's URL.
func (g Group) Document() map[string]any {
	document := map[string]any{
		"schemas": []any{scim.GroupSchema}, "id": g.ID, "displayName": g.Name,
		"meta": map[string]any{"resourceType": "Group", "created": moment(g.Created), "lastModified": moment(g.Updated)},
	}
	if g.ExternalID != "" {
		document["externalId"] = g.ExternalID
	}
	return document
}

func moment(t time.Time) string { return t.UTC().Truncate(time.Microsecond).Format(time.RFC3339Nano) }

// Membership is a group that a user is in.
type Membership struct{ GroupID, Name string }

// Errors of a [Store].
var (
	ErrNoGroup = &scim.Error{Status: http.StatusNotFound, Detail: "there is no such group"}
	// ErrNameTaken says that another group has the name.
	ErrNameTaken = &scim.Error{Status: http.StatusConflict, ScimType: scim.Uniquity, Detail: "displayName: another group has this name"}
	// ErrManyLeave says that a request would end more memberships than one can.
	ErrManyLeave = &scim.Error{Status: http.StatusRequestEntityTooLarge, Detail: fmt.Sprintf(
		"members: more than %d would leave by one request; remove them by several, or delete the group", MostMembers)}
)

// Members are what becomes of a group's members. Nobody is in both lists.
type Members struct {
	// Only says that nobody stays who is not in Add.
	Only        bool
	Add, Remove []string // ids of users, each once
	// Chosen must each have a member, before anything is changed.
	Chosen []Choice
}

// Choice is some of a group's members, by their ids; None refuses the change if there is none
// of them.
type Choice struct {
	IDs  []string
	None error
}

// Edit is what a change makes of a group.
type Edit struct {
	Name, ExternalID string
	Members          Members
}

// Done is what a change has changed. Repeating what is there changes nothing.
type Done struct {
	Before, After Group
	Joined, Left  []string
}

func (d Done) renamed() bool { return d.Before.Name != d.After.Name }

// Store keeps groups. Errors other than its own mean that it is away.
type Store interface {
	// Create adds a group with its members and the lines of the audit trail, or returns
	// ErrNameTaken. Names are the same if they differ in case only.
	Create(ctx context.Context, client string, g Group, members []string, lines []audit.Event) error
	// Find reads a group, with the external id of a client.
	Find(ctx context.Context, client, id string) (Group, error)
	// Change edits a group while nobody else does, and writes the lines about what came
	// of it: all or nothing. Edit and lines may be called again. An error of edit ends it,
	// and a choice of nobody.
	Change(ctx context.Context, client, id string, now time.Time, edit func(Group) (Edit, error), lines func(Done) []audit.Event) (Group, error)
	// Delete removes a group that has a wanted version. Who was a member of it is none
	// from then on; the rows go when [Store.Follow] gets to them.
	Delete(ctx context.Context, id string, wants func(Group) error, line func(Group) audit.Event) error
	// List answers a query.
	List(ctx context.Context, q Query) (Page, error)
	// Members returns at most n members, those after an id, in the order of ids, and
	// where the next page begins: blank at the end. Who is no user any more is left out.
	Members(ctx context.Context, id, after string, n int) (members []string, next string, err error)
	// Of returns the groups of users, in the order of their names.
	Of(ctx context.Context, users []string) (map[string][]Membership, error)
	// Leave ends the memberships of a user, and returns what they were.
	Leave(ctx context.Context, user string, now time.Time, line func(Membership) audit.Event) error
}

// Query asks for a page of groups.
type Query struct {
	Client string // whose external ids are meant
	// Member is the user whose groups alone there are; blank for all groups.
	Member string
	// Condition keeps at least what Matches accepts, and if it is Exact nothing else.
	Condition scim.Condition
	Exact     bool
	// Matches decides; nil accepts everything. The document has, of its members, those
	// who are Mentioned.
	Matches   func(document map[string]any) bool
	Mentioned []string
	// SortKey is what groups are sorted by; nil leaves the order of creation. ByName says
	// that it is the name.
	SortKey    func(document map[string]any) string
	ByName     bool
	Descending bool
	Offset     int // from 0
	Limit      int // 0 asks for the total only
	// Walk asks for a page by cursor; nil for one by its offset.
	Walk *scim.Walk
}

// Page is an answer.
type Page struct {
	Total  int    // by cursor -1 if it is not known
	Next   string // by cursor: where the next page begins; blank on the last
	Groups []Group
}

// Users know who there is.
type Users interface {
	// Known returns those of some ids that are a user's.
	Known(ctx context.Context, ids []string) (map[string]bool, error)
}

// Options are what a [Service] is made of.
type Options struct {
	Store Store
	Users Users
	Mode  scim.Mode
	// NewID returns a new id, which begins with the time (RFC 9562, version 7).
	NewID func() (string, error)
	// Now returns the database's time, in UTC.
	Now func() time.Time
}

// Service is what clients do with groups. Its methods may be called at the same time,
// on several replicas.
type Service struct {
	Options
	resource scim.Resource
}

// NewService returns a service.
func NewService(o Options) *Service { return &Service{o, scim.Group()} }

// By is who makes a request.
type By struct {
	Actor audit.Actor
	// Client names the client whose external ids are meant; blank for people.
	Client string
	// Only is the one user whose memberships the caller may see; blank for all.
	Only string
}

// The kinds of line in the audit trail.
const (
	Created = "group_created"
	Renamed = "group_renamed"
	Deleted = "group_deleted"
	Joined  = "group_joined" // of a user
	Left    = "group_left"
)

// title is a group as lines of the audit trail name it.
func title(id, name string) string { return brief(name) + " (" + id + ")" }

// briefly is how many characters of a name are in a line, so that the id is too, and in
// one about a new name the old one.
const briefly = 90

func brief(name string) string {
	if characters := []rune(name); len(characters) > briefly {
		return string(characters[:briefly]) + "…"
	}
	return name
}

// line is one of the audit trail.
func (b By) line(kind, user, about string, at time.Time) audit.Event {
	return audit.Event{IdentityID: user, Kind: kind, Actor: b.Actor, Reason: about, At: at}
}

package scim

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"time"
)

// Index is what answers lists and filters without asking Kratos for every
// identity. It is a copy: whoever writes an identity puts its entry here, and a
// reconciler finds what was written elsewhere. Errors other than [*Error] mean
// that the store is away.
type Index interface {
	// Put writes an entry with its values and its place in the count, all or
	// nothing. An entry that was seen later than this one stays as it is. It is quicker
	// where e.Over says right what is there.
	Put(ctx context.Context, e Entry) error
	// Writing is Put, for the database itself to do with something else
	// ([claim.Along]).
	Writing(e Entry) (any, error)
	// Find returns the entry of one identity as a client sees it, for [Entry.Over] of the
	// one that takes its place; without an ID if there is none.
	Find(ctx context.Context, id, client string) (Entry, error)
	// Absent is what Find would return for an identity that is new.
	Absent() Entry
	// Reconcile puts what differs and marks the rest as seen; it is for many
	// entries at once. It returns how many differed.
	Reconcile(ctx context.Context, entries []Entry) (changed int, err error)
	// Delete forgets an identity; one that is not there is no error.
	Delete(ctx context.Context, id string) error
	// Stamps returns the stamps of those of these identities that it has.
	Stamps(ctx context.Context, ids []string) (map[string]Stamp, error)
	// Query returns what matches, in an order that stays as it is between
	// questions. The error is an [*Error] with tooMany if an answer needs more than
	// q.Bound entries to be looked at.
	Query(ctx context.Context, q Query) (Page, error)
	// Unseen returns at most n identities that nobody has seen since a moment.
	// Before it deletes them the reconciler asks Kratos whether they are gone.
	Unseen(ctx context.Context, since time.Time, n int) ([]string, error)
	// Passed notes that a pass over all identities that began then has come to its
	// end, and LastPass returns when the last such one began; zero for none.
	Passed(ctx context.Context, began time.Time) error
	LastPass(ctx context.Context) (time.Time, error)
	// Complete reports whether there was one, on any replica: until then the index
	// does not know who is missing from it.
	Complete(ctx context.Context) (bool, error)
}

// ErrIncomplete says that an answer would need an index that is complete.
var ErrIncomplete = errors.New("scim: the index of users is not complete yet")

// Entry is what the index has of an identity. All of it but Version, Updated and
// Seen is personal data.
type Entry struct {
	ID      string
	Version string // what the ETag is made of
	// Document is the resource in the schemas' spelling. It has no externalId, which
	// differs from client to client.
	Document    json.RawMessage
	ExternalIDs map[string]string // by the name of the client's token
	Values      Values            // what the document can be found by
	Updated     time.Time         // meta.lastModified
	// Seen is a moment at which the identity was as described here: before it was
	// read, or after it was written. It must come from one clock for all replicas.
	Seen time.Time
	// Ungrouped tells that the user is in no group; false also where nobody has looked.
	Ungrouped bool
	// Over is what the index needs of the entry that this one takes the place of, as it
	// was found; nil if it was not.
	Over any
}

// Stamp is what the index knows of when an entry's identity last changed.
func (e Entry) Stamp() Stamp { return Stamp{e.Version, e.Updated} }

// Stamp is what the index knows of when an identity last changed.
type Stamp struct {
	Version string    // as in [Entry]
	Updated time.Time // as in [Entry]
}

// Values are keys by path: each is what one value of an attribute is found and
// sorted by. They are bytes, not text.
type Values map[string][]string

// Query asks for a page.
type Query struct {
	Client string // whose externalId is meant
	// Condition keeps at least what Matches accepts.
	Condition Condition
	// Exact says that it keeps nothing else, so that totals need no documents.
	Exact bool
	// Matches decides; nil accepts everything. The document has its externalId, and
	// numbers in it are json.Number.
	Matches func(document map[string]any) bool
	// SortBy is a path in Values of which every entry has exactly one key. Blank
	// leaves the index's own order, unless SortKey says what to sort by. SortKey must
	// agree with SortBy when there are both.
	SortBy     string
	SortKey    func(document map[string]any) string
	Descending bool
	Offset     int // from 0
	Limit      int // 0 asks for the total only
	Bound      int // how many documents may be looked at; 0 is the index's default
	// Walk asks for a page by cursor, and Offset is without meaning then.
	Walk *Walk
}

// Walk is a list that is read by cursor: whoever is in it from its first page to its
// last is on exactly one, whatever is added, deleted or changed meanwhile. A page may
// have fewer than asked for, or none, and yet not be the last.
type Walk struct {
	After string // [Page.Next] of the page before; blank for the first page
	// Reader is who reads; of one reader some sorted lists are kept, and no more.
	Reader string
	// Now is the time, and Until when a sorted list is kept at least.
	Now, Until time.Time
}

// Page is an answer.
type Page struct {
	Total   int     // by cursor -1 if it is not known
	Next    string  // by cursor: where the next page begins; blank on the last
	Entries []Entry // with the external id of the query's client, without values
}

// Condition is what an index can look up: [All], [And], [Or], [Within] or
// [Contains].
type Condition interface{ condition() }

// All keeps every entry.
type All struct{}

// And keeps what every part keeps. It has at least one.
type And []Condition

// Or keeps what any part keeps; without parts, nothing.
type Or []Condition

// Within keeps entries that have, among the keys of a path, one that is at least
// Low and less than High. In Query the path externalId means the client's.
type Within struct{ Path, Low, High string }

// Contains keeps entries that have, among the keys of a path, one with a part in
// it, or one that ends in a hash. An index reads all keys of the path for it.
type Contains struct{ Path, Part string }

func (All) condition()      {}
func (And) condition()      {}
func (Or) condition()       {}
func (Within) condition()   {}
func (Contains) condition() {}

// Equal keeps entries with a key.
func Equal(path, key string) Within { return Within{path, key, key + "\x00"} }

// Single reports whether exactly one key is within.
func (w Within) Single() bool { return w.High == w.Low+"\x00" }

const (
	// KeyLength is how many bytes of a text are its key. Longer ones end in a hash.
	KeyLength = 128
	// KeyWidth is the length of the longest key.
	KeyWidth = KeyLength + 2*keyHash
	keyHash  = 16
	// Missing is the key of an entry that has no value to be sorted by. It comes
	// last, and no range of texts has it.
	Missing = "\xff"
)

// Key returns the key of a text. Keys of short texts sort as the texts do.
func Key(text string) string {
	if len(text) <= KeyLength {
		return text
	}
	sum := sha256.Sum256([]byte(text))
	return text[:KeyLength] + hex.EncodeToString(sum[:keyHash])
}

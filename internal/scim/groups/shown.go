package groups

import (
	"context"
	"errors"
	"log/slog"
	"reflect"
	"strings"
	"sync"
	"time"

	"github.com/holdline/holdline/internal/audit"
	"github.com/holdline/holdline/internal/claim"
	"github.com/holdline/holdline/internal/scim"
)

// Task is an identity that may not show the names of its groups.
type Task struct {
	User    string
	Tries   int
	Changes int64
}

// Tasks are what a [Shower] has to do.
type Tasks interface {
	// Stale makes tasks of identities.
	Stale(ctx context.Context, users []string) error
	// Follow makes tasks for the next n members of a group that was renamed or deleted,
	// and ends their memberships if it was deleted. It reports whether there was such a
	// group.
	Follow(ctx context.Context, n int, line func(user, group string) audit.Event) (bool, error)
	// Due returns at most n tasks. Take has one be nobody else's until a moment, and
	// reports whether it was to be had. Shown ends one, unless it has come up again.
	Due(ctx context.Context, now time.Time, n int) ([]Task, error)
	Take(ctx context.Context, t Task, now, until time.Time) (bool, error)
	Shown(ctx context.Context, t Task) error
	// Waiting counts identities with tasks, and groups of which there is more to follow.
	Waiting(ctx context.Context) (identities, groups int, err error)
	Of(ctx context.Context, users []string) (map[string][]Membership, error)
	// Orphans returns at most n members, those after an id, whom the index does not have.
	Orphans(ctx context.Context, after string, n int) ([]string, error)
}

// Directory keeps identities.
type Directory interface {
	Record(ctx context.Context, id string) (scim.Record, error)
	// Change makes all operations or none.
	Change(ctx context.Context, id string, operations []scim.Operation) (scim.Record, error)
}

// ShowerOptions are what a [Shower] is made of.
type ShowerOptions struct {
	Tasks     Tasks
	Groups    *Service
	Directory Directory
	// WithLease does something while nobody else of Holdline writes the identity.
	WithLease func(ctx context.Context, identityID string, do func(context.Context) error) error
	// Path is where identities have the names: metadata_public or metadata_admin, a dot,
	// and a key. Blank where they do not have them.
	Path string
	Now  func() time.Time
	// Jitter spreads a wait.
	Jitter func(time.Duration) time.Duration
	// Report hears how many identities wait, and how many groups of which there is more
	// to follow. It may be nil.
	Report func(identities, groups int)
	Log    *slog.Logger
}

// Shower has identities show the names of the groups that they are in, for applications
// that know Kratos and not SCIM; and ends what is left of groups and of users who are
// gone.
type Shower struct{ ShowerOptions }

// NewShower returns one.
func NewShower(o ShowerOptions) *Shower { return &Shower{o} }

const (
	dueBatch = 50
	// showers bound the identities that are written at the same time: numbers come first.
	showers     = 3
	followBatch = 500
	// mostWaiting is with how many waiting identities no more are added.
	mostWaiting = 2000
	taskLease   = 30 * time.Second
	firstWait   = 2 * time.Second
	longestWait = 5 * time.Minute
)

// Once does what is due until nothing is, and returns how many identities it looked at.
// Several replicas may do so at once.
func (s *Shower) Once(ctx context.Context) (int, error) {
	looked := 0
	for ctx.Err() == nil {
		followed, err := s.follow(ctx)
		if err != nil {
			return looked, err
		}
		n, err := s.show(ctx)
		looked += n
		if err != nil || n == 0 && !followed {
			return looked, err
		}
	}
	return looked, nil
}

// follow goes on with a group that was renamed or deleted, while few identities wait.
func (s *Shower) follow(ctx context.Context) (bool, error) {
	waiting, more, err := s.Tasks.Waiting(ctx)
	if s.Path == "" {
		waiting = 0 // what is left of when there was a path is nobody's to do
	}
	if err == nil && s.Report != nil {
		s.Report(waiting, more)
	}
	if err != nil || more == 0 || waiting > mostWaiting {
		return false, err
	}
	now := s.Now()
	return s.Tasks.Follow(ctx, followBatch, func(user, group string) audit.Event {
		return By{Actor: audit.Actor{Kind: audit.System}}.line(Left, user, group+", group deleted", now)
	})
}

// show writes the names to identities that are due.
func (s *Shower) show(ctx context.Context) (int, error) {
	if s.Path == "" {
		return 0, nil
	}
	due, err := s.Tasks.Due(ctx, s.Now(), dueBatch)
	if err != nil {
		return 0, err
	}
	var workers sync.WaitGroup
	free := make(chan struct{}, showers)
	taken := make([]error, len(due))
	for i, task := range due {
		free <- struct{}{}
		workers.Go(func() {
			defer func() { <-free }()
			taken[i] = s.task(ctx, task)
		})
	}
	workers.Wait()
	return len(due), errors.Join(taken...)
}

// task does one. The error is that of a store which does not let it be taken: the task
// is due as before, and to go on at once would be to ask for ever.
func (s *Shower) task(ctx context.Context, task Task) error {
	now := s.Now()
	wait := max(taskLease, s.Jitter(min(firstWait<<min(task.Tries, 16), longestWait)))
	mine, err := s.Tasks.Take(ctx, task, now, now.Add(wait))
	if err != nil || !mine {
		return err
	}
	err = s.WithLease(ctx, task.User, func(ctx context.Context) error { return s.write(ctx, task.User) })
	if errors.Is(err, claim.ErrNoIdentity) {
		err = nil // whoever finds that out ends the memberships
	}
	if err == nil {
		err = s.Tasks.Shown(ctx, task)
	}
	if err != nil && ctx.Err() == nil {
		s.Log.WarnContext(ctx, "names of groups not written yet", "identity", task.User, "tries", task.Tries, "error", err)
	}
	return nil
}

// write brings an identity to show the names of its groups, by one PATCH. It reads the
// names within the lease: whoever changes them later makes another task.
func (s *Shower) write(ctx context.Context, user string) error {
	record, err := s.Directory.Record(ctx, user)
	if err != nil {
		return err
	}
	of, err := s.Tasks.Of(ctx, []string{user})
	if err != nil {
		return err
	}
	operation, ok := s.remedy(record, of[user])
	if !ok {
		return nil
	}
	_, err = s.Directory.Change(ctx, user, []scim.Operation{operation})
	return err
}

// remedy is what has to be written so that an identity shows the names, false for
// nothing.
func (s *Shower) remedy(record scim.Record, of []Membership) (scim.Operation, bool) {
	part, key, _ := strings.Cut(s.Path, ".")
	kept := record.MetadataPublic
	if part == "metadata_admin" {
		kept = record.MetadataAdmin
	}
	shown, there := kept[key]
	path := "/" + part + "/" + strings.NewReplacer("~", "~0", "/", "~1").Replace(key)
	if len(of) == 0 {
		return scim.Operation{Op: scim.Remove, Path: path}, there
	}
	names := make([]any, len(of))
	for i, m := range of {
		names[i] = m.Name
	}
	return scim.Operation{Op: scim.Add, Path: path, Value: names}, !reflect.DeepEqual(shown, any(names))
}

// Compare makes tasks of identities that do not show the names of their groups, as they
// were read: somebody has written them through Kratos, or a form has put back what it
// began with.
func (s *Shower) Compare(ctx context.Context, records []scim.Record) error {
	if s.Path == "" || len(records) == 0 {
		return nil
	}
	ids := make([]string, len(records))
	for i, record := range records {
		ids[i] = record.ID
	}
	of, err := s.Tasks.Of(ctx, ids)
	if err != nil {
		return err
	}
	var stale []string
	for _, record := range records {
		if _, differs := s.remedy(record, of[record.ID]); differs {
			stale = append(stale, record.ID)
		}
	}
	return s.Tasks.Stale(ctx, stale)
}

// Sweep ends the memberships of users who are gone from Kratos, after a pass over all
// identities that has read so many. Where more are gone than are there, something else
// is wrong, such as an address of another Kratos: then nobody's are ended.
func (s *Shower) Sweep(ctx context.Context, identities int) error {
	var gone []string
	for after := ""; ; {
		page, err := s.Tasks.Orphans(ctx, after, followBatch)
		if err != nil {
			return err
		}
		for _, user := range page {
			after = user
			_, err := s.Directory.Record(ctx, user)
			if errors.Is(err, claim.ErrNoIdentity) {
				gone = append(gone, user)
			} else if err != nil {
				return err
			}
			if len(gone) > identities {
				s.Log.ErrorContext(ctx, "more members of groups are gone from Kratos than it has identities: memberships are kept; is this the right Kratos?",
					"identities", identities)
				return nil
			}
		}
		if len(page) < followBatch {
			break
		}
	}
	for _, user := range gone {
		if err := s.Groups.Gone(ctx, user, audit.Actor{Kind: audit.System}); err != nil {
			return err
		}
	}
	return nil
}

package reconcile

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/holdline/holdline/internal/scim"
)

// errStuck ends a pass that could go on for ever.
var errStuck = errors.New("a page of identities names itself as the next")

// Pass compares everything once. An error ends it; what was compared until then
// stays, and a later pass begins anew. Replicas may pass at the same time.
//
// No entry is deleted because pages did not show its identity, which may have
// slipped between two of them: Kratos is asked about each.
func (r *Reconciler) Pass(ctx context.Context) (Progress, error) {
	p := Progress{Began: r.Now()}
	err := r.pages(ctx, &p)
	if err == nil {
		err = r.unseen(ctx, &p)
	}
	if err != nil {
		return p, err
	}
	if err := r.Index.Passed(ctx, p.Began); err != nil {
		return p, fmt.Errorf("note the pass: %w", err)
	}
	r.log(ctx, "index reconciled", p)
	return p, nil
}

// pages compares what Kratos lists.
func (r *Reconciler) pages(ctx context.Context, p *Progress) error {
	for token := ""; ; {
		seen := r.since(p.Began)
		records, next, err := r.Source.Page(ctx, token, r.PageSize)
		if err != nil {
			return fmt.Errorf("read page: %w", err)
		}
		if err := r.compare(ctx, p, records, seen); err != nil {
			return err
		}
		logged := p.Identities / logEvery
		p.Identities += len(records)
		p.Pages++
		r.Report(*p)
		if p.Identities/logEvery > logged {
			r.log(ctx, "reconciling the index", *p)
		}
		switch next {
		case "":
			return nil
		case token:
			return errStuck
		}
		token = next
	}
}

// compare puts what differs. Whoever is new to the index may have been deleted
// since the page was read, and the entry with it: that one must not come back. A
// page that is full of new ones is of a first pass; looking at each would take
// hours, and the next pass finds those few.
func (r *Reconciler) compare(ctx context.Context, p *Progress, records []scim.Record, seen time.Time) error {
	entries, err := r.Entries(ctx, records, seen)
	if err != nil {
		return fmt.Errorf("describe identities: %w", err)
	}
	fresh, err := r.fresh(ctx, entries)
	if err != nil {
		return err
	}
	if err := r.reconcile(ctx, p, entries...); err != nil {
		return err
	}
	if len(fresh) > r.PageSize/10 {
		return nil
	}
	for _, id := range fresh {
		entry, err := r.look(ctx, id, seen)
		if err != nil {
			return err
		}
		if entry == nil {
			if err := r.remove(ctx, p, id); err != nil {
				return err
			}
		}
	}
	return nil
}

// fresh lists whom the index does not have.
func (r *Reconciler) fresh(ctx context.Context, entries []scim.Entry) ([]string, error) {
	ids := make([]string, len(entries))
	for i, e := range entries {
		ids[i] = e.ID
	}
	known, err := r.Index.Stamps(ctx, ids)
	if err != nil {
		return nil, fmt.Errorf("look for entries: %w", err)
	}
	return slices.DeleteFunc(ids, func(id string) bool { _, ok := known[id]; return ok }), nil
}

func (r *Reconciler) reconcile(ctx context.Context, p *Progress, entries ...scim.Entry) error {
	changed, err := r.Index.Reconcile(ctx, entries)
	p.Changed += changed
	if err != nil {
		return fmt.Errorf("compare entries: %w", err)
	}
	return nil
}

// unseen asks Kratos about the entries whose identity was on no page. Each is
// asked about once in a pass: one that stays unseen after that is not tried again
// before the next.
func (r *Reconciler) unseen(ctx context.Context, p *Progress) error {
	asked := map[string]bool{}
	for {
		ids, err := r.Index.Unseen(ctx, p.Began, r.PageSize)
		if err != nil {
			return fmt.Errorf("list unseen entries: %w", err)
		}
		var fresh []string
		for _, id := range ids {
			if !asked[id] {
				asked[id] = true
				fresh = append(fresh, id)
			}
		}
		if len(fresh) == 0 {
			return nil
		}
		for _, id := range fresh {
			if err := r.settle(ctx, p, id); err != nil {
				return err
			}
		}
		r.Report(*p)
	}
}

// settle deletes or puts an unseen entry.
func (r *Reconciler) settle(ctx context.Context, p *Progress, id string) error {
	entry, err := r.look(ctx, id, r.since(p.Began))
	switch {
	case err != nil:
		return err
	case entry == nil:
		return r.remove(ctx, p, id)
	}
	return r.reconcile(ctx, p, *entry)
}

func (r *Reconciler) remove(ctx context.Context, p *Progress, id string) error {
	if err := r.forget(ctx, id); err != nil {
		return err
	}
	p.Deleted++
	return nil
}

// since is now, or when the pass began if the clock was set back meanwhile:
// nothing that a pass saw may be unseen to it.
func (r *Reconciler) since(began time.Time) time.Time {
	if now := r.Now(); now.After(began) {
		return now
	}
	return began
}

func (r *Reconciler) log(ctx context.Context, msg string, p Progress) {
	r.Log.InfoContext(ctx, msg,
		"identities", p.Identities, "changed", p.Changed, "deleted", p.Deleted, "pages", p.Pages,
		"seconds", int(r.Now().Sub(p.Began).Seconds()))
}

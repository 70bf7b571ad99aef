package app

import (
	"context"
	"net/http"
	"time"

	"github.com/holdline/holdline/config"
	"github.com/holdline/holdline/persistence"
)

// ReceiptURL lets tests see where providers are told to report to.
var ReceiptURL = receiptURL

// Observe and the others let tests see what is put before whom.
var (
	Observe          = observe
	StopObserving    = observers.close
	ObservedStore    = observers.store
	ObservedRequests = observers.around
	Propagation      = observers.propagation
)

// NewStartCheck and Next let tests see what is said of a set-up while it serves.
var (
	NewStartCheck = newStartCheck
	Next          = (*startCheck).next
)

// Assembled is the whole program, without its listeners and loops: what serves, and
// what works, one step at a time.
type Assembled struct {
	Public, Admin http.Handler
	Chores        func(context.Context) (int, error)
	Send          func(context.Context) error // works until its context ends
	Reconcile     func(context.Context) error
	Resync        func(context.Context) error // reads the clock again
}

// Assemble puts the program together on a database. local is the clock; SQLite has
// none of its own.
func Assemble(ctx context.Context, cfg config.Config, db *persistence.DB, local func() time.Time, o Options) (Assembled, error) {
	if err := Prepare(ctx, db, true); err != nil {
		return Assembled{}, err
	}
	clock, err := persistence.NewClock(ctx, db, local)
	if err != nil {
		return Assembled{}, err
	}
	watched, err := observe(ctx, cfg, o)
	if err != nil {
		return Assembled{}, err
	}
	p, err := assemble(cfg, db, clock, watched, o)
	if err != nil {
		return Assembled{}, err
	}
	a := Assembled{Chores: p.claims.Chores, Send: p.worker.Run, Reconcile: p.reconcile, Resync: clock.Sync}
	if a.Public, err = p.publicRoutes(); err == nil {
		a.Admin, err = p.adminRoutes()
	}
	return a, err
}

package app

import (
	"context"
	"time"

	"github.com/holdline/holdline/config"
	"github.com/holdline/holdline/persistence/database"
)

// ReceiptURL lets tests see where providers are told to report to.
var ReceiptURL = receiptURL

// Observe and the others let tests see what is put before whom.
var (
	Observe          = observe
	StopObserving    = observers.close
	DatabaseCall     = observers.databaseCall
	ObservedRequests = observers.around
	Propagation      = observers.propagation
)

// NewStartCheck and Next let tests see what is said of a set-up while it serves.
var (
	NewStartCheck = newFindings
	Next          = (*unsaid).next
)

// Assemble puts the program together on a database. local is the clock; SQLite has
// none of its own. resync reads it again.
func Assemble(ctx context.Context, cfg config.Config, db *database.DB, local func() time.Time, o Options) (h *Holdline, resync func(context.Context) error, err error) {
	if err := Prepare(ctx, db, true); err != nil {
		return nil, nil, err
	}
	clock, err := database.NewClock(ctx, db, local)
	if err != nil {
		return nil, nil, err
	}
	watched, err := observe(ctx, cfg, o)
	if err != nil {
		return nil, nil, err
	}
	h, err = assembled(cfg, db, clock, watched, o)
	return h, clock.Sync, err
}

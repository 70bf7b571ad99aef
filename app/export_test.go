package app

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

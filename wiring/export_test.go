package wiring

// ReceiptURL lets tests see where providers are told to report to.
var ReceiptURL = receiptURL

// ObservedRequests and Propagation let tests see what is put before whom.
var (
	ObservedRequests = Observers.around
	Propagation      = Observers.propagation
)

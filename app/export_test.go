package app

// ReceiptURL lets tests see where providers are told to report to.
var ReceiptURL = receiptURL

// NewMetrics, Metrics.Handler and the others let tests scrape.
var NewMetrics = newMetrics

// Metrics are what is scraped.
type Metrics = metrics

var (
	MetricsHandler = (*metrics).handler
	Reconciled     = (*metrics).reconciled
	Unreconciled   = (*metrics).unreconciled
)

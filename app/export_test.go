package app

// ReceiptURL lets tests see where providers are told to report to.
var ReceiptURL = receiptURL

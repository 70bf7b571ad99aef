// Package message is what waits to be sent (texts, notices, webhooks), the outbox that
// keeps it, and what providers report about it later: receipts.
package message

package smsgateway

import (
	"strings"

	"github.com/holdline/holdline/internal/claim"
)

// receiptProvider says how a provider proves its receipts, and what it calls
// their parts. Names with dots lead into nested JSON.
type receiptProvider struct {
	open    func(secret string, r receiptRequest) (fields, error)
	message []string // the first that is given names the message
	status  string
	code    string            // of the error
	words   map[string]string // for statuses that are not words
}

// receiptProviders are known by the type of their gateway. Sources: Twilio,
// "Track outbound message status"; Vonage SMS API, "Delivery receipts", and
// Messages API, "Message status"; MessageBird SMS API, "Handle a status report";
// Bird Channels API, "Message status and interactions"; Sinch SMS API,
// "Recipient delivery report"; Kannel user guide, "SMS Delivery Reports". What a
// report of Kannel and of an unknown provider holds is up to the URL that they
// are given.
var receiptProviders = map[string]receiptProvider{
	"twilio":      {open: openTwilio, message: []string{"MessageSid"}, status: "MessageStatus", code: "ErrorCode"},
	"vonage":      {open: openVonage, message: []string{"messageId", "message_uuid"}, status: "status", code: "err-code"},
	"messagebird": {open: openShared, message: []string{"id"}, status: "status", code: "statusErrorCode"},
	"bird":        {open: openBird, message: []string{"payload.id"}, status: "payload.status"},
	"sinch":       {open: openShared, message: []string{"batch_id"}, status: "status", code: "code"},
	"kannel":      {open: openShared, message: []string{"text"}, status: "type", words: kannelWords},
	"http":        {open: openShared, message: []string{"id", "text"}, status: "status", code: "code"},
}

// kannelWords are the values of Kannel's %d. The last two are a failure with its
// reason.
var kannelWords = map[string]string{
	"1": "delivered", "2": "failed", "4": "buffered", "8": "accepted", "16": "rejected", "34": "expired", "66": "failed",
}

// plainWord makes spellings of a status alike.
var plainWord = strings.NewReplacer("-", "_", " ", "_")

// receiptWords are what providers call the states. No two of them mean different
// things by the same word; the short ones are those of SMPP 3.4, appendix B.
var receiptWords = map[string]claim.ReceiptState{
	"accepted": claim.ReceiptAccepted, "queued": claim.ReceiptAccepted, "scheduled": claim.ReceiptAccepted,
	"pending": claim.ReceiptAccepted, "processing": claim.ReceiptAccepted, "submitted": claim.ReceiptAccepted,
	"sending": claim.ReceiptAccepted, "sent": claim.ReceiptAccepted, "dispatched": claim.ReceiptAccepted,
	"buffered": claim.ReceiptAccepted, "unknown": claim.ReceiptAccepted,
	"acceptd": claim.ReceiptAccepted, "enroute": claim.ReceiptAccepted,

	"delivered": claim.ReceiptDelivered, "read": claim.ReceiptDelivered, "delivrd": claim.ReceiptDelivered,

	"undelivered": claim.ReceiptUndelivered, "undeliverable": claim.ReceiptUndelivered,
	"failed": claim.ReceiptUndelivered, "delivery_failed": claim.ReceiptUndelivered,
	"sending_failed": claim.ReceiptUndelivered, "expired": claim.ReceiptUndelivered,
	"rejected": claim.ReceiptUndelivered, "aborted": claim.ReceiptUndelivered, "deleted": claim.ReceiptUndelivered,
	"canceled": claim.ReceiptUndelivered, "cancelled": claim.ReceiptUndelivered, "skipped": claim.ReceiptUndelivered,
	"undeliv": claim.ReceiptUndelivered, "rejectd": claim.ReceiptUndelivered,
}

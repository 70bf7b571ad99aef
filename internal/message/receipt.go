package message

import (
	"context"
	"time"
)

// ReceiptState is what a provider says became of a message that it took.
type ReceiptState string

// The states of a receipt. The last two are final.
const (
	ReceiptAccepted    ReceiptState = "accepted" // on its way
	ReceiptDelivered   ReceiptState = "delivered"
	ReceiptUndelivered ReceiptState = "undelivered" // and it never will be
)

// Receipt is one report of a provider on one message. It holds nothing personal.
type Receipt struct {
	Gateway string // the id of the gateway that the message went through
	// Message is the provider's id of the message or, where the provider reports
	// that one, the text's own id.
	Message string
	State   ReceiptState
	Detail  string    // the provider's word and error code; never a number
	At      time.Time // when it was received
}

// Receipts keeps receipts. An implementer must hold to this: a receipt that is
// like an earlier one but for its time is no error and changes nothing; one for
// a message that nobody knows is kept, because it may be faster than the answer
// that names the message; errors wrap problem.ErrStoreUnavailable.
//
// Of a message's receipts a final one counts before any other, and the one that
// was received last before those like it.
type Receipts interface {
	Record(ctx context.Context, r Receipt) error
}

// With returns what a receipt makes of a text's state; blank is no receipt.
func (s TextState) With(r ReceiptState) TextState {
	switch r {
	case ReceiptDelivered:
		return TextDelivered
	case ReceiptUndelivered:
		return TextUndelivered
	default:
		return s
	}
}

// LastWord returns the state of the receipt that counts among those of one
// message, oldest first; blank for none.
func LastWord(receipts []Receipt) ReceiptState {
	var counts ReceiptState
	for _, r := range receipts {
		if r.State != ReceiptAccepted || counts == "" {
			counts = r.State
		}
	}
	return counts
}

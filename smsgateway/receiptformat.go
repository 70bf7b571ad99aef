package smsgateway

import (
	"cmp"
	"crypto/sha256"
	"crypto/subtle"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/holdline/holdline/internal/claim"
)

// longestMessageID is the most that a message's id may have, in characters.
const longestMessageID = 255

// Format says how a provider proves its receipts, and what it calls their parts.
// Names with dots lead into nested JSON. The zero value is that of a provider that
// sends no receipts.
type Format struct {
	// Open proves a request by the secret, and returns what the proof covers and
	// nothing else, or claim.ErrReceiptUnproven or claim.ErrReceiptUnreadable. A
	// receipt that comes again changes nothing, so that bounds on a proof's age need
	// not be tight.
	Open      func(secret string, r Request) (Fields, error)
	MessageID []string // the first of these that is given names the message
	Status    string
	ErrorCode string            // may be blank
	Words     map[string]string // the words for statuses that are not words
}

// Reader proves and reads the receipts of one gateway.
type Reader struct {
	Format Format
	Secret string // not blank
}

// errorCode is what a provider's error code looks like, and no number of a
// person does.
var errorCode = regexp.MustCompile(`^[0-9A-Za-z]{1,6}$`)

// normalizeStatus makes spellings of a status alike.
var normalizeStatus = strings.NewReplacer("-", "_", " ", "_")

// Read returns what a receipt says: errors are claim.ErrReceiptUnproven and
// claim.ErrReceiptUnreadable.
func (rr Reader) Read(r Request) (claim.Receipt, error) {
	given, err := rr.Format.Open(rr.Secret, r)
	if err != nil {
		return claim.Receipt{}, err
	}
	message := given.Text(rr.Format.MessageID...)
	status := given.Text(rr.Format.Status)
	if word, found := rr.Format.Words[status]; found {
		status = word
	}
	status = normalizeStatus.Replace(strings.ToLower(status))
	state, known := states[status]
	if !known || !isMessageID(message) {
		return claim.Receipt{}, claim.ErrReceiptUnreadable
	}
	detail := status
	if code := given.Text(rr.Format.ErrorCode); code != "0" && errorCode.MatchString(code) {
		detail += " " + code
	}
	return claim.Receipt{Message: message, State: state, Detail: detail}, nil
}

// isMessageID reports whether a text can be a message's id.
func isMessageID(id string) bool {
	return id != "" && utf8.ValidString(id) && utf8.RuneCountInString(id) <= longestMessageID &&
		!strings.ContainsFunc(id, unicode.IsControl)
}

// OpenShared accepts a secret that is sent along: X-Receipt-Secret,
// Authorization: Bearer, or the query parameter secret.
func OpenShared(secret string, r Request) (Fields, error) {
	given := cmp.Or(r.Header.Get("X-Receipt-Secret"), r.Bearer(), r.Query.Get("secret"))
	want, got := sha256.Sum256([]byte(secret)), sha256.Sum256([]byte(given))
	if subtle.ConstantTimeCompare(want[:], got[:]) != 1 {
		return nil, claim.ErrReceiptUnproven
	}
	return r.AllFields()
}

// states are known by what providers call them. No two of them mean different
// things by the same word; the short ones are those of SMPP 3.4, appendix B.
var states = map[string]claim.ReceiptState{
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

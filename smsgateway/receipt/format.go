package receipt

import (
	"cmp"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"hash"
	"io"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/holdline/holdline/internal/message"
)

// longestMessageID is the most that a message's id may have, in characters.
const longestMessageID = 255

// Format says how a provider proves its receipts, and what it calls their parts.
// Names with dots lead into nested JSON. The zero value is that of a provider that
// sends no receipts.
type Format struct {
	// Open proves a request by the secret, and returns what the proof covers and
	// nothing else, or message.ErrReceiptUnproven or message.ErrReceiptUnreadable. A
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
	Secret string // without one, nothing is proven
}

// errorCode is what a provider's error code looks like, and no number of a
// person does.
var errorCode = regexp.MustCompile(`^[0-9A-Za-z]{1,6}$`)

// normalizeStatus makes spellings of a status alike.
var normalizeStatus = strings.NewReplacer("-", "_", " ", "_")

// Read returns what a receipt says: errors are message.ErrReceiptUnproven and
// message.ErrReceiptUnreadable.
func (rr Reader) Read(r Request) (message.Receipt, error) {
	if rr.Secret == "" || rr.Format.Open == nil {
		return message.Receipt{}, message.ErrReceiptUnproven
	}
	given, err := rr.Format.Open(rr.Secret, r)
	if err != nil {
		return message.Receipt{}, err
	}
	msg := given.Text(rr.Format.MessageID...)
	status := given.Text(rr.Format.Status)
	if word, found := rr.Format.Words[status]; found {
		status = word
	}
	status = normalizeStatus.Replace(strings.ToLower(status))
	state, known := states[status]
	if !known || !isMessageID(msg) {
		return message.Receipt{}, message.ErrReceiptUnreadable
	}
	detail := status
	if code := given.Text(rr.Format.ErrorCode); code != "0" && errorCode.MatchString(code) {
		detail += " " + code
	}
	return message.Receipt{Message: msg, State: state, Detail: detail}, nil
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
		return nil, message.ErrReceiptUnproven
	}
	return r.AllFields()
}

// MAC returns the keyed hash of a message, by which most providers sign.
func MAC(newHash func() hash.Hash, key, message string) []byte {
	h := hmac.New(newHash, []byte(key))
	_, _ = io.WriteString(h, message)
	return h.Sum(nil)
}

// states are known by what providers call them. No two of them mean different
// things by the same word; the short ones are those of SMPP 3.4, appendix B.
var states = map[string]message.ReceiptState{
	"accepted": message.ReceiptAccepted, "queued": message.ReceiptAccepted, "scheduled": message.ReceiptAccepted,
	"pending": message.ReceiptAccepted, "processing": message.ReceiptAccepted, "submitted": message.ReceiptAccepted,
	"sending": message.ReceiptAccepted, "sent": message.ReceiptAccepted, "dispatched": message.ReceiptAccepted,
	"buffered": message.ReceiptAccepted, "unknown": message.ReceiptAccepted,
	"acceptd": message.ReceiptAccepted, "enroute": message.ReceiptAccepted,

	"delivered": message.ReceiptDelivered, "read": message.ReceiptDelivered, "delivrd": message.ReceiptDelivered,

	"undelivered": message.ReceiptUndelivered, "undeliverable": message.ReceiptUndelivered,
	"failed": message.ReceiptUndelivered, "delivery_failed": message.ReceiptUndelivered,
	"sending_failed": message.ReceiptUndelivered, "expired": message.ReceiptUndelivered,
	"rejected": message.ReceiptUndelivered, "aborted": message.ReceiptUndelivered, "deleted": message.ReceiptUndelivered,
	"canceled": message.ReceiptUndelivered, "cancelled": message.ReceiptUndelivered, "skipped": message.ReceiptUndelivered,
	"undeliv": message.ReceiptUndelivered, "rejectd": message.ReceiptUndelivered,
}

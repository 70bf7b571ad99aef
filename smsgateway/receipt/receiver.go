// Package receipt takes in what providers report of texts that they took. A provider's
// [Format] says how its reports are proven and read.
package receipt

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/holdline/holdline/internal/message"
)

// Path is where receipts arrive: a gateway's id follows it.
const Path = "/sms/receipts/"

// longestReceipt is the most that a body may have, in bytes.
const longestReceipt = 64 << 10

// Options are what a [Receiver] works with. All are needed.
type Options struct {
	Readers map[string]Reader // by the gateway's id
	Store   message.Receipts
	Now     func() time.Time
	// BaseURL is what providers call this server, without a slash at the end.
	// Some sign the URL, and what a request says of its own host proves nothing.
	BaseURL string
}

// Receiver takes in what providers report of the texts that they took.
type Receiver struct{ Options }

// New returns a receiver.
func New(options Options) *Receiver { return &Receiver{options} }

// Receive proves, reads and keeps one receipt, by GET or POST. Errors:
// message.ErrReceiptUnknown, ErrReceiptUnproven, ErrReceiptUnreadable and
// ErrReceiptTooLarge, which say nothing of what was sent, and problem.ErrStoreUnavailable,
// after which the provider should try again.
func (h *Receiver) Receive(r *http.Request, gateway string) error {
	reader, known := h.Readers[gateway]
	if !known {
		return message.ErrReceiptUnknown
	}
	body, err := io.ReadAll(http.MaxBytesReader(nil, r.Body, longestReceipt))
	if tooLarge := (*http.MaxBytesError)(nil); errors.As(err, &tooLarge) {
		return message.ErrReceiptTooLarge
	}
	if err != nil {
		return fmt.Errorf("%w: body broke off", message.ErrReceiptUnreadable)
	}
	request := Request{
		URL: h.BaseURL + Path + url.PathEscape(gateway), Header: r.Header, Query: r.URL.Query(),
		Body: body, Now: h.Now(),
	}
	if r.URL.RawQuery != "" {
		request.URL += "?" + r.URL.RawQuery
	}
	receipt, err := reader.Read(request)
	if err != nil {
		return err
	}
	receipt.Gateway, receipt.At = gateway, request.Now
	if err := h.Store.Record(r.Context(), receipt); err != nil {
		return fmt.Errorf("record receipt: %w", err)
	}
	return nil
}

package smsgateway

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/holdline/holdline/internal/claim"
)

// ReceiptsPath is where receipts arrive: a gateway's id follows it.
const ReceiptsPath = "/sms/receipts/"

const (
	longestReceipt = 64 << 10 // bytes of a body
	longestMessage = 255      // characters of a message's id
)

// ReceiptOptions are what [Receipts] work with. All are needed.
type ReceiptOptions struct {
	Readers map[string]ReceiptReader // by the gateway's id
	Store   claim.Receipts
	Now     func() time.Time
	// BaseURL is what providers call this server, without a slash at the end.
	// Some sign the URL, and what a request says of its own host proves nothing.
	BaseURL string
}

// Receipts takes in what providers report of the texts that they took.
type Receipts struct{ ReceiptOptions }

// NewReceipts returns the taker of receipts.
func NewReceipts(options ReceiptOptions) *Receipts { return &Receipts{options} }

// Receive proves, reads and keeps one receipt, by GET or POST. Errors:
// claim.ErrReceiptUnknown, ErrReceiptUnproven, ErrReceiptUnreadable and
// ErrReceiptTooLarge, which say nothing of what was sent, and problem.ErrStoreUnavailable,
// after which the provider should try again.
func (h *Receipts) Receive(r *http.Request, gateway string) error {
	reader, known := h.Readers[gateway]
	if !known {
		return claim.ErrReceiptUnknown
	}
	body, err := io.ReadAll(http.MaxBytesReader(nil, r.Body, longestReceipt))
	if tooLarge := (*http.MaxBytesError)(nil); errors.As(err, &tooLarge) {
		return claim.ErrReceiptTooLarge
	}
	if err != nil {
		return fmt.Errorf("%w: body broke off", claim.ErrReceiptUnreadable)
	}
	request := receiptRequest{
		url: h.BaseURL + ReceiptsPath + url.PathEscape(gateway), header: r.Header, query: r.URL.Query(),
		body: body, now: h.Now(),
	}
	if r.URL.RawQuery != "" {
		request.url += "?" + r.URL.RawQuery
	}
	receipt, err := reader.read(request)
	if err != nil {
		return err
	}
	receipt.Gateway, receipt.At = gateway, request.now
	if err := h.Store.Record(r.Context(), receipt); err != nil {
		return fmt.Errorf("record receipt: %w", err)
	}
	return nil
}

// ReceiptReader proves and reads the receipts of one gateway.
type ReceiptReader struct {
	secret   string
	provider receiptProvider
}

// NewReceiptReader returns a reader for a type of gateway: twilio, vonage,
// messagebird, bird, sinch, kannel or http. The secret is what its provider
// signs with (Twilio: the auth token; Vonage: the signature secret; Bird: the
// webhook's signing key), or else the one that the receipts carry.
func NewReceiptReader(gatewayType, secret string) (ReceiptReader, error) {
	provider, known := receiptProviders[gatewayType]
	if !known {
		return ReceiptReader{}, fmt.Errorf("gateways of type %q give no receipts", gatewayType)
	}
	if secret == "" {
		return ReceiptReader{}, errors.New("receipts need a secret")
	}
	return ReceiptReader{secret, provider}, nil
}

// errorCode is what a provider's error code looks like, and no number of a
// person does.
var errorCode = regexp.MustCompile(`^[0-9A-Za-z]{1,6}$`)

func (rr ReceiptReader) read(r receiptRequest) (claim.Receipt, error) {
	given, err := rr.provider.open(rr.secret, r)
	if err != nil {
		return claim.Receipt{}, err
	}
	message := given.text(rr.provider.message...)
	word := given.text(rr.provider.status)
	if said, is := rr.provider.words[word]; is {
		word = said
	}
	word = plainWord.Replace(strings.ToLower(word))
	state, known := receiptWords[word]
	if !known || !nameable(message) {
		return claim.Receipt{}, claim.ErrReceiptUnreadable
	}
	detail := word
	if code := given.text(rr.provider.code); code != "0" && errorCode.MatchString(code) {
		detail += " " + code
	}
	return claim.Receipt{Message: message, State: state, Detail: detail}, nil
}

// nameable reports whether a text can be a message's id.
func nameable(id string) bool {
	return id != "" && utf8.ValidString(id) && utf8.RuneCountInString(id) <= longestMessage &&
		!strings.ContainsFunc(id, unicode.IsControl)
}

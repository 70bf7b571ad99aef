package provider

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/holdline/holdline/smsgateway"
	"github.com/holdline/holdline/smsgateway/receipt"
)

// Kannel is the sendsms interface of Kannel's smsbox, and of what imitates it:
// https://www.kannel.org/download/1.4.5/userguide-1.4.5/userguide.html, "Using
// the HTTP interface to send SMS messages". It names no ids: its receipts bring
// back the text's own.
type kannelAPI struct {
	Username, Password string
	From               string // blank for Kannel's own
	Endpoint           string // http://127.0.0.1:13013/cgi-bin/sendsms if blank; may have a query of its own
	Callback           string // URL for receipts; blank for none
}

// kannel's receipts hold what the callback asks for; see the user guide, "SMS Delivery
// Reports". The words are for the values of %d, the last two a failure with its
// reason.
var kannel = Type{
	api: func(s Settings, callback string) api {
		return kannelAPI{Username: s["username"], Password: s["password"], From: s["from"], Endpoint: s["endpoint"], Callback: callback}
	},
	Receipts: receipt.Format{
		Open: receipt.OpenShared, MessageID: []string{"text"}, Status: "type", Words: map[string]string{
			"1": "delivered", "2": "failed", "4": "buffered", "8": "accepted", "16": "rejected", "34": "expired", "66": "failed",
		},
	},
	ReceiptSecret: receiptSecret,
}

// everyReceipt is the mask of all kinds of receipts.
const everyReceipt = "31"

func (k kannelAPI) request(ctx context.Context, m smsgateway.Message) (*http.Request, error) {
	address, err := url.Parse(cmp.Or(k.Endpoint, "http://127.0.0.1:13013/cgi-bin/sendsms"))
	if err != nil {
		return nil, fmt.Errorf("%w: the URL cannot be used", smsgateway.ErrRefused)
	}
	query := address.Query() // an operator's own, such as smsc or account
	for name, value := range map[string]string{
		"username": k.Username, "password": k.Password, "to": m.To.Unmasked(), "text": m.Body, "charset": "UTF-8", "coding": "0",
	} {
		query.Set(name, value)
	}
	if isUnicode(m) {
		query.Set("coding", "2")
	}
	if k.From != "" {
		query.Set("from", k.From)
	}
	if k.Callback != "" {
		query.Set("dlr-mask", everyReceipt)
		query.Set("dlr-url", k.receiptURL(m))
	}
	address.RawQuery = query.Encode()
	req, err := newRequest(ctx, http.MethodGet, address.String(), "", nil)
	if err != nil {
		return nil, err
	}
	// On a connection that was used before, net/http would repeat a GET by itself.
	req.Close = true
	return req, nil
}

// receiptURL is where Kannel reports to; it writes the kind of receipt for %d.
func (k kannelAPI) receiptURL(m smsgateway.Message) string {
	mark := "?"
	if strings.Contains(k.Callback, "?") {
		mark = "&"
	}
	return k.Callback + mark + "type=%d&text=" + url.QueryEscape(m.ID)
}

func (k kannelAPI) parseAnswer(_ context.Context, a answer) (string, error) {
	text := string(a.body)
	switch {
	case a.ok() && (strings.HasPrefix(text, "0:") || strings.HasPrefix(text, "3:")): // accepted, queued
		return "", nil
	case a.ok():
		return "", a.notUnderstood()
	case a.status == http.StatusForbidden && !strings.Contains(text, "Authorization failed"): // black list
		return "", a.classify(refusesMessage, "the provider answers 403")
	}
	return "", a.byAccountStatus()
}

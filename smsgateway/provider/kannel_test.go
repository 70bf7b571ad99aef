package provider_test

import (
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"testing"

	"github.com/holdline/holdline/internal/message"
	"github.com/holdline/holdline/smsgateway/provider"
	"github.com/holdline/holdline/smsgateway/smstest"
)

var kannelTest = providerTest{
	gatewayType: "kannel",
	path:        "/cgi-bin/sendsms",
	callback:    callback + "?secret=" + credential,
	settings:    provider.Settings{"username": "holdline", "password": credential, "from": "Holdline"},
	accepted:    accepted{202, "0: Accepted for delivery", ""},
	answers: []said{
		{202, "3: Queued for later delivery", "sent"},
		{403, "Authorization failed for sendsms", "account"},
		{403, "Number(s) has/have been denied by white- and/or black-lists.", "refused"},
		{400, "Empty receiver number not allowed, rejected", "refused"},
		{404, "Unknown request.", "account"},
		{503, "Temporal failure, try again later.", "passes after 7s"},
		{200, "<html>A proxy says hello.</html>", "unsure"},
	},
	receipts: map[string]receiptCase{
		"accepted":  kannelCase("8", message.ReceiptAccepted, "accepted"),
		"delivered": kannelCase("1", message.ReceiptDelivered, "delivered"),
		"failed":    kannelCase("2", message.ReceiptUndelivered, "failed"),
		"buffered":  kannelCase("4", message.ReceiptAccepted, "buffered"),
		"rejected":  kannelCase("16", message.ReceiptUndelivered, "rejected"),
		"expired":   kannelCase("34", message.ReceiptUndelivered, "expired"),
	},
}

func kannelCase(value string, state message.ReceiptState, word string) receiptCase {
	return receiptCase{func(secret string) *http.Request {
		return smstest.ReceiptRequest(http.MethodGet, "?text=text-1&type="+value+"&secret="+secret, "")
	}, nil, message.Receipt{Message: "text-1", State: state, Detail: word}}
}

// Kannel's endpoint may name a centre or an account of its own.
func TestKannelKeepsItsEndpointsQuery(t *testing.T) {
	var got url.Values
	double := smstest.NewServer(t, func(w http.ResponseWriter, r *http.Request) {
		got = r.URL.Query()
		w.WriteHeader(http.StatusAccepted)
		_, _ = io.WriteString(w, "0: Accepted for delivery")
	})
	kannel, err := provider.New("kannel", provider.Config{Settings: provider.Settings{
		"username": "u", "password": "p", "endpoint": double.URL + "/cgi-bin/sendsms?smsc=foo",
	}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := kannel.Send(t.Context(), smstest.NewMessage()); err != nil {
		t.Fatal(err)
	}
	if got.Get("smsc") != "foo" || got.Get("charset") != "UTF-8" || got.Get("username") != "u" {
		t.Errorf("got the names %v, smsc %q", slices.Sorted(maps.Keys(got)), got.Get("smsc"))
	}
}

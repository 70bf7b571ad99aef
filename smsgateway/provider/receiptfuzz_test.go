package provider_test

import (
	"crypto/rand"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/holdline/holdline/internal/message"
	"github.com/holdline/holdline/smsgateway/smstest"
)

// Whatever is sent, nothing is kept without the secret; and with it nothing but
// a name, a state and words that no number fits into.
func FuzzReceipts(f *testing.F) {
	types := []string{"twilio", "vonage", "messagebird", "bird", "sinch", "kannel", "http"}
	for i, seed := range types {
		f.Add(uint8(i), "id=m&status=delivered&sig=00", `{"messageId":"m","status":"failed","code":30005}`, "Bearer e30.e30.", "AAAA", "1767323045")
		f.Add(uint8(i), "text="+seed+"&type=1", "MessageSid=SM1&MessageStatus=sent", "Basic AAAA", "", "")
		f.Add(uint8(i), "", `{"payload":{"id":"m","status":"delivered"},"id":"x","batch_id":1,"code":[1]}`, "", "", "1767323045")
	}
	secret := rand.Text()
	digits := regexp.MustCompile(`[0-9]{7}`)
	f.Fuzz(func(t *testing.T, which uint8, query, body, authorization, signature, stamp string) {
		taker, store := receipts(t, types[int(which)%len(types)], secret)
		request := func() *http.Request {
			r := httptest.NewRequest(http.MethodPost, "/sms/receipts/main", strings.NewReader(body))
			r.URL = &url.URL{Path: r.URL.Path, RawQuery: query}
			for name, value := range map[string]string{
				"Authorization": authorization, "X-Twilio-Signature": signature,
				"MessageBird-Signature": signature, "MessageBird-Request-Timestamp": stamp,
			} {
				r.Header.Set(name, value)
			}
			return r
		}
		err := taker.Receive(request(), "main")
		if err == nil || len(store.Receipts()) > 0 {
			t.Fatalf("kept without the secret: %+v", store.Receipts())
		}
		proven := request()
		proven.Header.Set("X-Receipt-Secret", secret)
		err = taker.Receive(proven, "main")
		if err != nil && !errors.Is(err, message.ErrReceiptUnproven) && !errors.Is(err, message.ErrReceiptUnreadable) {
			t.Errorf("got %v", err)
		}
		for _, r := range store.Receipts() {
			named := r.Message != "" && utf8.ValidString(r.Message) && utf8.RuneCountInString(r.Message) <= 255
			state := r.State == message.ReceiptAccepted || r.State == message.ReceiptDelivered || r.State == message.ReceiptUndelivered
			if !named || !state || len(r.Detail) > 64 || digits.MatchString(r.Detail) || !r.At.Equal(smstest.Start.Truncate(time.Microsecond)) {
				t.Errorf("kept %+v", r)
			}
		}
	})
}

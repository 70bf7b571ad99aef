package provider_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strconv"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/holdline/holdline/internal/message"
	"github.com/holdline/holdline/internal/phone"
	"github.com/holdline/holdline/smsgateway"
	"github.com/holdline/holdline/smsgateway/provider"
)

// The secret, id, time, payload and signature are those of the specification's
// libraries (their tests of signing).
const (
	publishedSecret    = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
	publishedID        = "msg_p5jXN8AQM9LWM0D4loKWxJek"
	publishedPayload   = `{"test": 2432232314}`
	publishedSignature = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
)

var publishedTime = time.Unix(1614265330, 0)

// same compares two JSON texts.
func same(a, b string) bool {
	var left, right any
	return json.Unmarshal([]byte(a), &left) == nil && json.Unmarshal([]byte(b), &right) == nil && reflect.DeepEqual(left, right)
}

// verified takes calls as a service does that goes by the specification's library.
func verified(t *testing.T, secret, payload string, now func() time.Time, answers ...int) (calls *[]http.Header, send func() error) {
	t.Helper()
	key, err := standardwebhooks.NewWebhook(secret)
	if err != nil {
		t.Fatal(err)
	}
	calls = new([]http.Header)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if err := key.VerifyIgnoringTimestamp(body, r.Header); err != nil || !same(string(body), payload) {
			t.Errorf("%v: %s %v", err, body, r.Header)
		}
		if len(body) > 0 {
			body[0]++
		}
		if key.VerifyIgnoringTimestamp(body, r.Header) == nil {
			t.Error("another body is as good")
		}
		if *calls = append(*calls, r.Header.Clone()); len(*calls) <= len(answers) {
			w.WriteHeader(answers[len(*calls)-1])
		}
	}))
	t.Cleanup(server.Close)
	hook, err := provider.NewWebhook(provider.RequestConfig{
		URL: server.URL, Method: http.MethodPost,
		Body: "base64://" + base64.StdEncoding.EncodeToString([]byte("function(ctx) "+payload)),
	}, func(context.Context, string) (string, error) { return "", nil }, provider.Signing{Secret: secret, Now: now}, provider.HTTPOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return calls, func() error {
		_, err := hook.Send(t.Context(), smsgateway.Message{
			ID: publishedID, Kind: message.TextDisputed, Channel: message.ChannelWebhook, To: phone.FromStore("+491711111111"), IdentityID: "bob",
		})
		return err
	}
}

func TestCallsAreSignedAsTheSpecificationHasIt(t *testing.T) {
	key, err := standardwebhooks.NewWebhook(publishedSecret)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := key.Sign(publishedID, publishedTime, []byte(publishedPayload)); err != nil || got != publishedSignature {
		t.Fatalf("the library signs %q, %v", got, err)
	}
	calls, send := verified(t, publishedSecret, `{"test":2432232314}`, func() time.Time { return publishedTime })
	if err := send(); err != nil {
		t.Fatal(err)
	}
	header := (*calls)[0]
	if header.Get("webhook-id") != publishedID || header.Get("webhook-timestamp") != "1614265330" || header.Get("webhook-signature")[:3] != "v1," {
		t.Errorf("got %v", header)
	}
}

// A call that is repeated is the same call, made later.
func TestARepeatedCallHasItsIDAndATimeOfItsOwn(t *testing.T) {
	now := publishedTime
	calls, send := verified(t, publishedSecret, `{"a":1}`, func() time.Time { return now }, http.StatusServiceUnavailable)
	if send() == nil {
		t.Fatal("an outage is taken for an answer")
	}
	now = now.Add(time.Minute)
	if err := send(); err != nil {
		t.Fatal(err)
	}
	for i, header := range *calls {
		if header.Get("webhook-id") != publishedID || header.Get("webhook-timestamp") != strconv.Itoa(1614265330+60*i) {
			t.Errorf("call %d: %v", i, header)
		}
	}
}

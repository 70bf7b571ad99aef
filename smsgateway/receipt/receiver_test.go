package receipt_test

import (
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/holdline/holdline/internal/message"
	"github.com/holdline/holdline/internal/problem"
	"github.com/holdline/holdline/internal/storetest"
	"github.com/holdline/holdline/internal/web"
	"github.com/holdline/holdline/smsgateway/receipt"
	"github.com/holdline/holdline/smsgateway/smstest"
)

// receiver takes the receipts of the gateway main, which carry a secret.
func receiver(secret string) (*receipt.Receiver, *storetest.Store) {
	store := storetest.NewStore()
	reader := receipt.Reader{
		Format: receipt.Format{Open: receipt.OpenShared, MessageID: []string{"id"}, Status: "status"}, Secret: secret,
	}
	return receipt.New(receipt.Options{
		Readers: map[string]receipt.Reader{"main": reader}, Store: store,
		Now: func() time.Time { return smstest.Start }, BaseURL: smstest.PublicURL,
	}), store
}

func TestABodyThatBreaksOff(t *testing.T) {
	taker, store := receiver(smstest.Secret)
	r := smstest.ReceiptRequest(http.MethodPost, "?id=m&status=sent&secret="+smstest.Secret, "")
	r.Body = io.NopCloser(iotest.ErrReader(io.ErrUnexpectedEOF))
	if err := taker.Receive(r, "main"); !errors.Is(err, message.ErrReceiptUnreadable) {
		t.Errorf("got %v", err)
	}
	smstest.WantReceipts(t, store)
}

func TestReceiptsThatCannotBeRead(t *testing.T) {
	for name, body := range map[string]string{
		"nothing":            "",
		"no message":         `{"status":"delivered"}`,
		"no status":          `{"id":"m"}`,
		"unknown status":     `{"id":"m","status":"levitating"}`,
		"broken JSON":        `{"id":"m","status":"delivered"`,
		"more than one":      `{"id":"m","status":"delivered"}{}`,
		"a list":             `[{"id":"m","status":"delivered"}]`,
		"a nested id":        `{"id":{"id":"m"},"status":"delivered"}`,
		"a broken form":      "id=%zz&status=delivered",
		"a control in an id": `{"id":"m\u0000","status":"delivered"}`,
		"an id of no text":   "id=%ff&status=delivered",
		"an endless id":      `{"id":"` + strings.Repeat("m", 256) + `","status":"delivered"}`,
	} {
		t.Run(name, func(t *testing.T) {
			taker, store := receiver(smstest.Secret)
			err := taker.Receive(smstest.ReceiptRequest(http.MethodPost, "", body, "X-Receipt-Secret", smstest.Secret), "main")
			if !errors.Is(err, message.ErrReceiptUnreadable) {
				t.Errorf("got %v", err)
			}
			smstest.WantReceipts(t, store)
		})
	}
}

func TestTheReceiptRouteAnswers(t *testing.T) {
	good := "?id=m&status=delivered&secret=" + smstest.Secret
	for name, tt := range map[string]struct {
		request *http.Request
		away    error
		status  int
		code    string
	}{
		"kept, by GET":       {smstest.ReceiptRequest(http.MethodGet, good, ""), nil, 204, ""},
		"kept, by POST":      {smstest.ReceiptRequest(http.MethodPost, "?secret="+smstest.Secret, "id=m&status=sent"), nil, 204, ""},
		"just small enough":  {smstest.ReceiptRequest(http.MethodPost, good, strings.Repeat(" ", 64<<10)), nil, 204, ""},
		"not proven":         {smstest.ReceiptRequest(http.MethodGet, good+"x", ""), nil, 401, "HLD-40121"},
		"not readable":       {smstest.ReceiptRequest(http.MethodPost, "?secret="+smstest.Secret, "{"), nil, 400, "HLD-40021"},
		"too large":          {smstest.ReceiptRequest(http.MethodPost, good, strings.Repeat(" ", 64<<10+1)), nil, 413, "HLD-41321"},
		"database away":      {smstest.ReceiptRequest(http.MethodGet, good, ""), problem.ErrStoreUnavailable, 503, "HLD-50301"},
		"unknown gateway":    {httptest.NewRequest(http.MethodGet, "/sms/receipts/nobody"+good, nil), nil, 404, "HLD-40421"},
		"wrong method":       {smstest.ReceiptRequest(http.MethodPut, good, ""), nil, 405, "HLD-40501"},
		"no gateway's route": {httptest.NewRequest(http.MethodPost, "/sms/receipts/", nil), nil, 404, "HLD-40400"},
	} {
		t.Run(name, func(t *testing.T) {
			taker, store := receiver(smstest.Secret)
			store.Fail(tt.away)
			server := &web.Server{
				Log: slog.New(slog.DiscardHandler), Now: func() time.Time { return smstest.Start },
				NewID: func() string { return "id" },
			}
			engine, err := server.Engine()
			if err != nil {
				t.Fatal(err)
			}
			engine.Match([]string{http.MethodGet, http.MethodPost}, receipt.Path+":gateway", func(c *gin.Context) {
				if err := taker.Receive(c.Request, c.Param("gateway")); err != nil {
					server.Fail(c, err)
					return
				}
				web.Answer(c, http.StatusNoContent, web.None{})
			})
			got := httptest.NewRecorder()
			engine.ServeHTTP(got, tt.request)
			if got.Code != tt.status || !strings.Contains(got.Body.String(), tt.code) {
				t.Errorf("got %d %s, want %d %s", got.Code, got.Body, tt.status, tt.code)
			}
			if strings.Contains(got.Body.String(), smstest.Secret) || got.Code == http.StatusNoContent && got.Body.Len() > 0 {
				t.Errorf("answered %s", got.Body)
			}
		})
	}
}

// An Authorization header that belongs to somebody else's business, such as a
// proxy's, does not stand in the way of the secret.
func TestOtherCredentialsAreLeftAlone(t *testing.T) {
	for authorization, query := range map[string]string{
		"Basic dTpw": "?secret=" + smstest.Secret, "bearer " + smstest.Secret: "", "BEARER " + smstest.Secret: "", "": "?secret=" + smstest.Secret,
	} {
		taker, _ := receiver(smstest.Secret)
		request := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/sms/receipts/main"+query, strings.NewReader("id=1&status=delivered"))
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		if authorization != "" {
			request.Header.Set("Authorization", authorization)
		}
		if err := taker.Receive(request, "main"); err != nil {
			t.Errorf("%q: got %v", authorization, err)
		}
	}
}

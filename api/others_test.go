package api_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/holdline/holdline/api"
	"github.com/holdline/holdline/internal/problem"
	"github.com/holdline/holdline/internal/storetest"
	"github.com/holdline/holdline/internal/web"
	"github.com/holdline/holdline/smsgateway/provider"
	"github.com/holdline/holdline/smsgateway/receipt"
)

func TestHealthAnswersAsDocumented(t *testing.T) {
	book := newBook(t)
	var away error
	engine := newEngine(t, func(engine *gin.Engine, server *web.Server) {
		api.Mount(engine)
		server.Health(engine, "v1.0.0", map[string]func(context.Context) error{"database": func(context.Context) error { return away }}, nil)
	})
	for path, headers := range map[string][]string{
		"/health/alive": nil, "/health/ready": nil, "/version": nil, api.Path: {"If-None-Match", "*"}, api.Path + "?": nil,
	} {
		if got := book.ask(t, engine, http.MethodGet, path, "", headers...); got.Code != http.StatusOK && got.Code != http.StatusNotModified {
			t.Errorf("%s: got %d %s", path, got.Code, got.Body)
		}
	}
	away = problem.ErrStoreUnavailable
	if got := book.ask(t, engine, http.MethodGet, "/health/ready", ""); got.Code != http.StatusServiceUnavailable {
		t.Errorf("got %d %s", got.Code, got.Body)
	}
}

// receiptRoutes are as app has them.
func receiptRoutes(engine *gin.Engine, server *web.Server, receipts *receipt.Receiver) {
	engine.Match([]string{http.MethodGet, http.MethodPost}, receipt.Path+":gateway", func(c *gin.Context) {
		if err := receipts.Receive(c.Request, c.Param("gateway")); err != nil {
			server.Fail(c, err)
			return
		}
		web.Answer(c, http.StatusNoContent, web.None{})
	})
}

func TestReceiptsAnswerAsDocumented(t *testing.T) {
	book, store := newBook(t), storetest.NewStore()
	kind, _ := provider.ForType("http")
	reader := receipt.Reader{Format: kind.Receipts, Secret: "the-secret"}
	receipts := receipt.New(receipt.Options{
		Readers: map[string]receipt.Reader{"main": reader}, Store: store,
		Now: func() time.Time { return noon }, BaseURL: "https://id.example.com",
	})
	engine := newEngine(t, func(engine *gin.Engine, server *web.Server) { receiptRoutes(engine, server, receipts) })
	const good = `{"id":"m-1","status":"delivered"}`
	large := `{"id":"` + strings.Repeat("x", 1<<20) + `"}`
	for _, tt := range []struct {
		want              int
		gateway, in, body string
		fails             error
	}{
		{204, "main", "secret=the-secret&id=m-1&status=delivered", good, nil},
		{400, "main", "secret=the-secret&id=m-1&status=odd", `{}`, nil},
		{401, "main", "", good, nil},
		{404, "other", "", good, nil},
		{413, "main", "secret=the-secret", large, nil},
		{500, "main", "secret=the-secret&id=m-1&status=delivered", good, errOdd},
		{503, "main", "secret=the-secret&id=m-1&status=delivered", good, problem.ErrStoreUnavailable},
	} {
		store.Fail(tt.fails)
		for _, method := range []string{http.MethodGet, http.MethodPost} {
			body := tt.body
			if method == http.MethodGet && tt.want != 413 {
				body = ""
			}
			got := book.ask(t, engine, method, "/sms/receipts/"+tt.gateway+"?"+tt.in, body, "Content-Type", "application/json")
			if got.Code != tt.want {
				t.Errorf("%s %s: got %d %s, want %d", method, tt.in, got.Code, got.Body, tt.want)
			}
		}
	}
	book.complete(t, "/sms/")
}

// What the document says of paths and methods that are not in it.
func TestWhatIsNotInTheDocumentAnswersAsItSays(t *testing.T) {
	doc := document(t)
	engine := newEngine(t, func(engine *gin.Engine, server *web.Server) {
		server.Health(engine, "v1.0.0", nil, func(context.Context) string { return "building" })
	})
	for name, ask := range map[string]struct{ method, path string }{
		"NoRoute": {http.MethodGet, "/nothing"}, "WrongMethod": {http.MethodHead, "/version"},
	} {
		got, response := send(t, engine, ask.method, ask.path, ""), doc.Components.Responses[name].Value
		media := response.Content.Get("application/json")
		if err := media.Schema.Value.VisitJSON(read(t, got.Body.String()), jsonSchema...); err != nil || media.Examples[codeOf(got.Body.Bytes())] == nil {
			t.Errorf("%s: got %d %s: %v", name, got.Code, got.Body, err)
		}
		for header := range response.Headers {
			if got.Header().Get(header) == "" {
				t.Errorf("%s lacks the header %s", name, header)
			}
		}
	}
}

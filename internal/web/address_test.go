package web_test

import (
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/holdline/holdline/internal/web"
)

const proxy, farProxy, visitor = "10.0.0.1", "10.0.1.7", "203.0.113.5"

// seenFrom returns the address that a listener with trusted proxies sees.
func seenFrom(t *testing.T, trusted []string, from string, header http.Header) string {
	t.Helper()
	e := server()
	e.TrustedProxies = trusted
	engine, err := e.Engine()
	if err != nil {
		t.Fatal(err)
	}
	seen := "nobody"
	engine.GET("/", func(c *gin.Context) { seen = web.ClientAddress(c) })
	request := httptest.NewRequest(http.MethodGet, "/", nil)
	request.RemoteAddr, request.Header = from, header
	engine.ServeHTTP(httptest.NewRecorder(), request)
	return seen
}

func TestOnlyTrustedProxiesSayWhereAClientIs(t *testing.T) {
	trusted := []string{"10.0.0.0/16", "fd00::/8"}
	for name, tt := range map[string]struct {
		from   string
		header http.Header
		want   string
	}{
		"a connection":                      {visitor + ":1", nil, visitor},
		"a client that claims":              {visitor + ":1", http.Header{"X-Forwarded-For": {"1.1.1.1"}}, visitor},
		"a proxy":                           {proxy + ":1", http.Header{"X-Forwarded-For": {visitor}}, visitor},
		"a proxy that says nothing":         {proxy + ":1", nil, proxy},
		"two proxies":                       {proxy + ":1", http.Header{"X-Forwarded-For": {visitor + ", " + farProxy}}, visitor},
		"proxies only":                      {proxy + ":1", http.Header{"X-Forwarded-For": {farProxy}}, farProxy},
		"what the client wrote before":      {proxy + ":1", http.Header{"X-Forwarded-For": {"1.1.1.1, " + visitor}}, visitor},
		"a trusted address that it wrote":   {proxy + ":1", http.Header{"X-Forwarded-For": {farProxy + ", " + visitor}}, visitor},
		"a field that it wrote before":      {proxy + ":1", http.Header{"X-Forwarded-For": {"1.1.1.1", visitor}}, visitor},
		"X-Real-IP":                         {proxy + ":1", http.Header{"X-Real-Ip": {"1.1.1.1"}}, proxy},
		"X-Real-IP beside it":               {proxy + ":1", http.Header{"X-Real-Ip": {"1.1.1.1"}, "X-Forwarded-For": {visitor}}, visitor},
		"X-Real-IP behind nonsense":         {proxy + ":1", http.Header{"X-Real-Ip": {"1.1.1.1"}, "X-Forwarded-For": {"unknown"}}, proxy},
		"Forwarded":                         {proxy + ":1", http.Header{"Forwarded": {"for=1.1.1.1"}}, proxy},
		"headers of clouds":                 {proxy + ":1", http.Header{"Cf-Connecting-Ip": {"1.1.1.1"}, "X-Appengine-Remote-Addr": {"1.1.1.1"}}, proxy},
		"no address":                        {proxy + ":1", http.Header{"X-Forwarded-For": {"1.1.1.1, unknown"}}, proxy},
		"no address between":                {proxy + ":1", http.Header{"X-Forwarded-For": {"1.1.1.1, unknown, " + farProxy}}, farProxy},
		"a blank":                           {proxy + ":1", http.Header{"X-Forwarded-For": {visitor + ",,"}}, proxy},
		"a port":                            {proxy + ":1", http.Header{"X-Forwarded-For": {visitor + ":4711"}}, visitor},
		"IPv6":                              {proxy + ":1", http.Header{"X-Forwarded-For": {"2001:DB8::1"}}, "2001:db8::1"},
		"IPv6 with a port":                  {"[fd00::1]:1", http.Header{"X-Forwarded-For": {"[2001:db8::1]:4711"}}, "2001:db8::1"},
		"IPv6 in brackets":                  {"[fd00::1]:1", http.Header{"X-Forwarded-For": {"[2001:db8::1]"}}, "2001:db8::1"},
		"IPv4 in IPv6":                      {"[::ffff:" + proxy + "]:1", http.Header{"X-Forwarded-For": {"::ffff:" + visitor}}, visitor},
		"a zone, which a client may choose": {"[fd00::1]:1", http.Header{"X-Forwarded-For": {"fe80::1%x"}}, "fe80::1"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := seenFrom(t, trusted, tt.from, tt.header); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
	if got := seenFrom(t, nil, proxy+":1", http.Header{"X-Forwarded-For": {visitor}}); got != proxy {
		t.Errorf("without trusted proxies: got %s, want %s", got, proxy)
	}
	if got := seenFrom(t, []string{proxy}, farProxy+":1", http.Header{"X-Forwarded-For": {visitor}}); got != farProxy {
		t.Errorf("from a neighbour of the proxy: got %s, want %s", got, farProxy)
	}
}

// Whatever a client sends, the address is the one that the proxy has added.
func TestNoHeaderChoosesTheAddress(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	chance := rand.New(rand.NewPCG(seed, 0))
	pieces := []string{visitor, proxy, farProxy, "1.1.1.1", "::1", "[::1]:9", "unknown", "", ",", " ", ";", "\"", "for=1.1.1.1", "%", ":", "10.0.0.1:80"}
	names := []string{"X-Forwarded-For", "X-Real-Ip", "Forwarded", "True-Client-Ip", "Client-Ip", "X-Client-Ip", "X-Forwarded", "Cf-Connecting-Ip"}
	for range 2000 {
		header := http.Header{}
		for range chance.IntN(4) {
			value := ""
			for range chance.IntN(5) {
				value += pieces[chance.IntN(len(pieces))]
			}
			header.Add(names[chance.IntN(len(names))], value)
		}
		before := header.Clone()
		// Proxies add a field of their own, or extend the one that is there.
		fields := header["X-Forwarded-For"]
		if n := len(fields); n > 0 && chance.IntN(2) == 0 {
			fields[n-1] += ", 192.0.2.44"
		} else {
			header.Add("X-Forwarded-For", "192.0.2.44")
		}
		if got := seenFrom(t, []string{"10.0.0.0/16"}, proxy+":1", header); got != "192.0.2.44" {
			t.Fatalf("seed %d: a client sent %q and was seen at %s", seed, before, got)
		}
		if got := seenFrom(t, []string{"10.0.0.0/16"}, visitor+":1", before); got != visitor {
			t.Fatalf("seed %d: a client sent %q past the proxy and was seen at %s", seed, before, got)
		}
	}
}

func TestNonsenseIsNoProxy(t *testing.T) {
	for _, entry := range []string{"", "proxy", "10.0.0.0/33", "10.0.0.1:80", "*"} {
		if _, err := (&web.Server{Log: slog.New(slog.DiscardHandler), TrustedProxies: []string{entry}}).Engine(); err == nil {
			t.Errorf("%q is taken for a proxy", entry)
		}
	}
}

func TestNoAnswerIsToBeSniffed(t *testing.T) {
	engine, err := server().Engine()
	if err != nil {
		t.Fatal(err)
	}
	engine.GET("/good", func(c *gin.Context) { c.String(http.StatusOK, "<html>") })
	engine.GET("/panics", func(*gin.Context) { panic("x") })
	engine.GET("/wrapped", gin.WrapF(func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "gone", http.StatusGone) }))
	for name, tt := range map[string]struct {
		method, path string
		status       int
	}{
		"an answer":        {http.MethodGet, "/good", http.StatusOK},
		"no route":         {http.MethodGet, "/nothing", http.StatusNotFound},
		"no method":        {http.MethodPost, "/good", http.StatusMethodNotAllowed},
		"a panic":          {http.MethodGet, "/panics", http.StatusInternalServerError},
		"another's answer": {http.MethodGet, "/wrapped", http.StatusGone},
	} {
		recorder := httptest.NewRecorder()
		engine.ServeHTTP(recorder, httptest.NewRequest(tt.method, tt.path, nil))
		if got := recorder.Header().Get("X-Content-Type-Options"); recorder.Code != tt.status || got != "nosniff" {
			t.Errorf("%s: got %d with %q", name, recorder.Code, got)
		}
	}
}

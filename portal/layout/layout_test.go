package layout_test

import (
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/gin-gonic/gin"

	"github.com/holdline/holdline/portal/layout"
)

type page struct {
	layout.Frame
	Words string
}

var files = fstest.MapFS{
	"templates/page-plain.gohtml":  {Data: []byte(`{{define "content"}}<p>{{shout .Words}}{{template "mark"}}</p>{{end}}`)},
	"templates/page-own.gohtml":    {Data: []byte(`{{define "main"}}all mine{{end}}{{define "body-class"}}wide{{end}}`)},
	"templates/page-broken.gohtml": {Data: []byte(`{{define "content"}}secret{{.Words.Missing}}{{end}}`)},
	"templates/part-mark.gohtml":   {Data: []byte(`{{define "mark"}}!{{end}}`)},
	"assets/own.js":                {Data: []byte("// own\n")},
}

func serve(t *testing.T, name string) http.Handler {
	t.Helper()
	pages, err := layout.New(layout.Options{Base: "/base/", Files: files, Funcs: map[string]any{"shout": strings.ToUpper}})
	if err != nil {
		t.Fatal(err)
	}
	pages.Add("logo.svg", []byte("<svg/>"))
	engine := layout.Engine(layout.Policy{Forms: "'self'"})
	pages.Mount(engine)
	engine.GET("/", func(c *gin.Context) {
		pages.Show(c, http.StatusAccepted, name, page{
			layout.Frame{Title: "A <title>", Product: "Acme", Lang: "ar", Dir: "rtl", Notice: layout.Notice{Kind: "error", Text: "No <b>"}}, "<i>",
		})
	})
	engine.POST("/", layout.OwnForms(nil, func(c *gin.Context) { c.Status(http.StatusForbidden) }), func(c *gin.Context) { c.Status(http.StatusNoContent) })
	return engine
}

func get(t *testing.T, handler http.Handler, path string) *httptest.ResponseRecorder {
	t.Helper()
	out := httptest.NewRecorder()
	handler.ServeHTTP(out, httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil))
	return out
}

func TestAPageStandsInTheLayout(t *testing.T) {
	got := get(t, serve(t, "plain"), "/")
	if got.Code != http.StatusAccepted {
		t.Errorf("got status %d", got.Code)
	}
	for _, part := range []string{
		`<html lang="ar" dir="rtl">`, "<title>A &lt;title&gt; · Acme</title>", "<h1>A &lt;title&gt;</h1>", "&lt;I&gt;!",
		`<p id="message" class="notice error" role="alert">No &lt;b&gt;</p>`, `<body class="page">`, `href="/base/assets/style.css?v=`,
	} {
		if !strings.Contains(got.Body.String(), part) {
			t.Errorf("the page lacks %q: %s", part, got.Body)
		}
	}
	own := get(t, serve(t, "own"), "/").Body.String()
	if !strings.Contains(own, "all mine") || strings.Contains(own, "<h1>") || !strings.Contains(own, `<body class="wide">`) {
		t.Errorf("got %s", own)
	}
}

func TestAPageIsSentWholeOrNotAtAll(t *testing.T) {
	for _, name := range []string{"broken", "missing"} {
		if got := get(t, serve(t, name), "/"); got.Code != http.StatusInternalServerError || strings.Contains(got.Body.String(), "secret") {
			t.Errorf("%s: got %d %s", name, got.Code, got.Body)
		}
	}
}

func TestEveryAnswerCarriesThePolicy(t *testing.T) {
	handler := serve(t, "plain")
	for _, path := range []string{"/", "/missing"} {
		header := get(t, handler, path).Header()
		want := "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'none'; " +
			"frame-src 'none'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
		if got := header.Get("Content-Security-Policy"); got != want {
			t.Errorf("%s: got policy %q", path, got)
		}
		if header.Get("X-Content-Type-Options") != "nosniff" || header.Get("Cache-Control") != "no-store" || header.Get("Referrer-Policy") != "same-origin" {
			t.Errorf("%s: headers are missing: %v", path, header)
		}
	}
}

func TestAssetsAreKeptForEverUnderTheirVersion(t *testing.T) {
	handler := serve(t, "plain")
	versioned := regexp.MustCompile(`/base(/assets/style\.css\?v=[\w-]+)`).FindStringSubmatch(get(t, handler, "/").Body.String())
	if versioned == nil {
		t.Fatal("the page names no stylesheet")
	}
	for path, cache := range map[string]string{
		versioned[1]: "public, max-age=31536000, immutable", "/assets/style.css": "no-store", "/assets/style.css?v=old": "no-store",
		"/assets/own.js": "no-store", "/assets/logo.svg": "no-store",
	} {
		got := get(t, handler, path)
		if got.Code != http.StatusOK || got.Header().Get("Cache-Control") != cache || got.Header().Get("Content-Type") == "" {
			t.Errorf("%s: got %d %v", path, got.Code, got.Header())
		}
	}
	for _, path := range []string{"/assets/", "/assets/missing", "/assets/..%2fdoc.go"} {
		if got := get(t, handler, path); got.Code != http.StatusNotFound {
			t.Errorf("%s: got %d, want 404", path, got.Code)
		}
	}
}

func TestTemplatesWithMistakesAreFoundAtTheStart(t *testing.T) {
	for name, text := range map[string]string{"not closed": `{{define "content"}}{{if}}`, "unknown function": `{{define "content"}}{{nothing}}{{end}}`} {
		broken := fstest.MapFS{"templates/page-x.gohtml": {Data: []byte(text)}}
		if _, err := layout.New(layout.Options{Files: broken}); err == nil {
			t.Errorf("%s: got no error", name)
		}
	}
}

func TestOtherOriginsCannotSubmit(t *testing.T) {
	handler := serve(t, "plain")
	for from, want := range map[string]int{"same-origin": 204, "none": 204, "same-site": 403, "cross-site": 403} {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", nil)
		r.Header.Set("Sec-Fetch-Site", from)
		out := httptest.NewRecorder()
		handler.ServeHTTP(out, r)
		if out.Code != want {
			t.Errorf("%s: got %d, want %d", from, out.Code, want)
		}
	}
}

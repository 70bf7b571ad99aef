package api_test

import (
	"context"
	"go/ast"
	"go/parser"
	"go/token"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/gin-gonic/gin"

	"github.com/holdline/holdline/api"
	"github.com/holdline/holdline/api/adminapi"
	"github.com/holdline/holdline/api/userapi"
	"github.com/holdline/holdline/hook"
	"github.com/holdline/holdline/internal/web"
	"github.com/holdline/holdline/portal/verify"
	"github.com/holdline/holdline/scimbridge"
	"github.com/holdline/holdline/smsgateway/receipt"
)

func itoa(n int) string { return strconv.Itoa(n) }

// ginVariable is a variable of a path as gin writes it.
var ginVariable = regexp.MustCompile(`:([a-z]+)`)

func route(method, path string) string {
	return method + " " + ginVariable.ReplaceAllString(path, "{$1}")
}

// documented returns the routes of the document for a listener: those without
// servers of their own are public, those with two are both's.
func documented(t *testing.T, admin bool) []string {
	t.Helper()
	doc := document(t)
	var routes []string
	each(doc, func(method, path string, _ *openapi3.Operation) {
		servers := len(doc.Paths.Value(path).Servers)
		if servers == 2 || admin == (servers == 1) {
			routes = append(routes, route(method, path))
		}
	})
	return routes
}

// mounted returns an engine's routes, but for the files that pages load.
func mounted(engine *gin.Engine) []string {
	var routes []string
	for _, r := range engine.Routes() {
		if !strings.HasSuffix(r.Path, "/assets/:name") {
			routes = append(routes, route(r.Method, r.Path))
		}
	}
	return routes
}

func same(t *testing.T, documented, mounted []string) {
	t.Helper()
	for _, r := range documented {
		if !slices.Contains(mounted, r) {
			t.Errorf("the document has %s, and no handler does", r)
		}
	}
	for _, r := range mounted {
		if !slices.Contains(documented, r) {
			t.Errorf("%s is not in the document", r)
		}
	}
}

func TestThePublicRoutesAreTheDocuments(t *testing.T) {
	engine := newEngine(t, func(engine *gin.Engine, server *web.Server) {
		server.Health(engine, "v1.0.0", nil, func(context.Context) string { return "building" })
		api.Mount(engine)
		userapi.Mount(engine, server, server, &claims{}, people{}, 6)
		receiptRoutes(engine, server, receipt.New(receipt.Options{}))
		brand := verify.Brand{Name: "Holdline", Language: "en"}
		if err := verify.Mount(engine, server, verify.Options{Brand: brand, URL: "https://id.example.com/verify"}); err != nil {
			t.Fatal(err)
		}
		if err := verify.MountDispute(engine, "/not-me", verify.DisputeOptions{Brand: brand, Log: slog.New(slog.DiscardHandler)}); err != nil {
			t.Fatal(err)
		}
	})
	same(t, documented(t, false), append(mounted(engine), scimRoutes(t)...))
}

func TestTheAdminRoutesAreTheDocuments(t *testing.T) {
	engine := newEngine(t, func(engine *gin.Engine, server *web.Server) {
		server.Health(engine, "v1.0.0", nil, func(context.Context) string { return "building" })
		api.Mount(engine)
		hook.Mount(engine, server, &rulings{}, hook.Options{Key: hookKey, Trials: &trials{}})
		adminapi.Mount(engine, server, adminapi.Options{})
		engine.GET("/metrics", func(*gin.Context) {}) // as app has it
	})
	same(t, documented(t, true), mounted(engine))
}

// scimRoutes reads the routes of the SCIM service from its source: its engine is
// behind a handler.
func scimRoutes(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob("../scimbridge/*.go")
	if err != nil {
		t.Fatal(err)
	}
	methods := []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodHead, http.MethodOptions}
	var routes []string
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		source, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, source, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok || len(call.Args) < 2 {
				return true
			}
			method, ok := call.Fun.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			if method.Sel.Name == "Any" || method.Sel.Name == "Handle" || method.Sel.Name == "Match" {
				t.Errorf("%s adds routes in a way that this test does not read", name)
			}
			if path, ok := call.Args[0].(*ast.BasicLit); ok && path.Kind == token.STRING && slices.Contains(methods, method.Sel.Name) {
				routes = append(routes, route(method.Sel.Name, scimbridge.Path+unquoted(t, path)))
			}
			return true
		})
	}
	return routes
}

// The source may be read wrongly: the handler itself says which methods an address
// has, also as one of several paths.
func TestTheSCIMHandlerHasTheDocumentsMethods(t *testing.T) {
	doc, handler := document(t), bridge(t, &directory{})
	for _, path := range keys(doc.Paths.Map()) {
		if !strings.HasPrefix(path, scimbridge.Path+"/") {
			continue
		}
		address := strings.NewReplacer("{", "", "}", "").Replace(path)
		want := map[string]bool{}
		for other, item := range doc.Paths.Map() {
			if _, fits := fit(other, address); fits {
				for method := range item.Operations() {
					want[method] = true
				}
			}
		}
		got := send(t, handler, http.MethodTrace, address, "")
		allowed := strings.Split(got.Header().Get("Allow"), ", ")
		slices.Sort(allowed)
		if got.Code != http.StatusMethodNotAllowed || !slices.Equal(allowed, keys(want)) {
			t.Errorf("%s: got %d, Allow %v, want %v", path, got.Code, allowed, keys(want))
		}
	}
}

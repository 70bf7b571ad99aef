package api_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/gin-gonic/gin"

	"github.com/holdline/holdline/api"
)

// fetch asks for the document as clients do.
func fetch(t *testing.T, known string) *httptest.ResponseRecorder {
	t.Helper()
	gin.SetMode(gin.ReleaseMode)
	engine := gin.New()
	api.Mount(engine)
	request := httptest.NewRequestWithContext(t.Context(), http.MethodGet, api.Path, nil)
	request.Header.Set("If-None-Match", known)
	recorder := httptest.NewRecorder()
	engine.ServeHTTP(recorder, request)
	return recorder
}

// document reads the document that is served.
func document(t *testing.T) *openapi3.T {
	t.Helper()
	doc, err := openapi3.NewLoader().LoadFromData(fetch(t, "").Body.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

func TestTheDocumentIsServedToAll(t *testing.T) {
	got := fetch(t, "")
	if got.Code != http.StatusOK || got.Header().Get("Content-Type") != "application/yaml" ||
		got.Header().Get("Cache-Control") != "public, max-age=300" || !strings.Contains(got.Body.String(), "\nopenapi: \"3.1.0\"\n") {
		t.Errorf("got %d %v", got.Code, got.Header())
	}
	version := got.Header().Get("ETag")
	for known, want := range map[string]int{
		version: http.StatusNotModified, `"x", W/` + version: http.StatusNotModified, "*": http.StatusNotModified, `"x"`: http.StatusOK,
	} {
		if again := fetch(t, known); again.Code != want || again.Header().Get("ETag") != version || (want == http.StatusNotModified) != (again.Body.Len() == 0) {
			t.Errorf("%s: got %d, want %d", known, again.Code, want)
		}
	}
}

func TestTheDocumentIsValid(t *testing.T) {
	doc := document(t)
	if !doc.IsOpenAPI31OrLater() {
		t.Errorf("version %s", doc.OpenAPI)
	}
	if err := doc.Validate(t.Context(), openapi3.EnableMultiError(), openapi3.ProhibitExtensionsWithRef()); err != nil {
		t.Error(err)
	}
}

// The validator does not look into security, tags and what nobody refers to.
func TestEveryPartOfTheDocumentIsUsed(t *testing.T) {
	doc, text := document(t), fetch(t, "").Body.String()
	for kind, names := range map[string][]string{
		"schemas": keys(doc.Components.Schemas), "parameters": keys(doc.Components.Parameters),
		"headers": keys(doc.Components.Headers), "responses": keys(doc.Components.Responses),
	} {
		for _, name := range names {
			// These two answer for paths and methods that are not in the document.
			if name != "NoRoute" && name != "WrongMethod" && !strings.Contains(text, `"#/components/`+kind+"/"+name+`"`) {
				t.Errorf("nobody refers to %s/%s", kind, name)
			}
		}
	}
	tags, ids, used := map[string]bool{}, map[string]string{}, map[string]bool{}
	for _, tag := range doc.Tags {
		tags[tag.Name] = true
	}
	each(doc, func(method, path string, o *openapi3.Operation) {
		if other := ids[o.OperationID]; o.OperationID == "" || other != "" {
			t.Errorf("%s %s has the operation id %q, as has %q", method, path, o.OperationID, other)
		}
		ids[o.OperationID] = path
		if len(o.Tags) != 1 || !tags[o.Tags[0]] {
			t.Errorf("%s %s has the tags %v", method, path, o.Tags)
		}
		if o.Security == nil || len(*o.Security) == 0 {
			t.Errorf("%s %s does not say who may call", method, path)
			return
		}
		for _, way := range *o.Security {
			for scheme := range way {
				used[scheme] = true
				if doc.Components.SecuritySchemes[scheme] == nil {
					t.Errorf("%s %s: there is no security scheme %s", method, path, scheme)
				}
			}
		}
	})
	for scheme := range doc.Components.SecuritySchemes {
		if !used[scheme] {
			t.Errorf("nobody signs in by %s", scheme)
		}
	}
}

func TestEveryExampleMatchesItsSchema(t *testing.T) {
	doc := document(t)
	seen := 0
	check := func(where string, schema *openapi3.SchemaRef, value any, as openapi3.SchemaValidationOption) {
		seen++
		if err := schema.Value.VisitJSON(value, openapi3.EnableJSONSchema2020(), openapi3.EnableFormatValidation(), as); err != nil {
			t.Errorf("%s: %v", where, err)
		}
	}
	content := func(where string, c openapi3.Content, as openapi3.SchemaValidationOption, needed bool) {
		examples := 0
		for kind, media := range c {
			for name, example := range media.Examples {
				check(where+" "+kind+" "+name, media.Schema, example.Value.Value, as)
			}
			if examples += len(media.Examples); kind == "text/html" || kind == "text/plain" || kind == "application/yaml" {
				examples++ // pages and the like speak for themselves
			}
		}
		if needed && len(c) > 0 && examples == 0 {
			t.Errorf("%s has no example", where)
		}
	}
	each(doc, func(method, path string, o *openapi3.Operation) {
		where := method + " " + path
		parameters := append(openapi3.Parameters{}, o.Parameters...)
		for _, p := range append(parameters, doc.Paths.Value(path).Parameters...) {
			if p.Value.Example != nil {
				check(where+" "+p.Value.Name, p.Value.Schema, p.Value.Example, openapi3.VisitAsRequest())
			}
		}
		if o.RequestBody != nil {
			content(where, o.RequestBody.Value.Content, openapi3.VisitAsRequest(), true)
		}
		for status, response := range o.Responses.Map() {
			// Discovery documents are long, and the RFCs have them.
			needed := !strings.HasPrefix(path, "/scim2") || status >= "400"
			content(where+" "+status, response.Value.Content, openapi3.VisitAsResponse(), needed)
		}
	})
	if seen < 100 {
		t.Errorf("only %d examples were found", seen)
	}
}

// Numbers in examples are from the range that is set aside for fiction.
func TestNoExampleHasARealNumber(t *testing.T) {
	for _, line := range strings.Split(fetch(t, "").Body.String(), "\n") {
		for _, piece := range strings.FieldsFunc(line, func(r rune) bool { return !strings.ContainsRune("+0123456789*", r) }) {
			if strings.HasPrefix(piece, "+") && len(piece) > 5 && !strings.HasPrefix(piece, "+155501") && !strings.HasPrefix(piece, "+15****") {
				t.Errorf("%s is in %s", piece, strings.TrimSpace(line))
			}
		}
	}
}

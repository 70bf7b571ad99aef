package api_test

import (
	"bytes"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
)

func keys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// each calls with every operation of the document.
func each(doc *openapi3.T, do func(method, path string, o *openapi3.Operation)) {
	for _, path := range keys(doc.Paths.Map()) {
		operations := doc.Paths.Value(path).Operations()
		for _, method := range keys(operations) {
			do(method, path, operations[method])
		}
	}
}

// fit reports whether an address is one of a path of the document, and which values
// its variables have.
func fit(path, address string) (variables map[string]string, fits bool) {
	want, got := strings.Split(path, "/"), strings.Split(address, "/")
	if len(want) != len(got) {
		return nil, false
	}
	variables = map[string]string{}
	for i := range want {
		if strings.HasPrefix(want[i], "{") {
			variables[strings.Trim(want[i], "{}")], _ = url.PathUnescape(got[i])
		} else if want[i] != got[i] {
			return nil, false
		}
	}
	return variables, true
}

// template returns the path of the document that an address is of. Of two that
// fit, the one with fewer variables is meant.
func template(doc *openapi3.T, address string) (path string, variables map[string]string) {
	for _, candidate := range keys(doc.Paths.Map()) {
		if found, fits := fit(candidate, address); fits && (path == "" || len(found) < len(variables)) {
			path, variables = candidate, found
		}
	}
	return path, variables
}

// told are the headers that an answer must not have without the document saying so.
var told = []string{"Retry-After", "WWW-Authenticate", "ETag", "Location", "Content-Location", "Cache-Control", "X-Request-Id"}

// book holds answers against the document, and remembers which ones were seen.
type book struct {
	doc  *openapi3.T
	seen map[string]bool // method, path, status, and the code if there is one
}

func newBook(t *testing.T) *book {
	t.Helper()
	for _, kind := range []string{"application/scim+json", "text/html", "application/vnd.google.protobuf"} {
		decoder := openapi3filter.PlainBodyDecoder
		if strings.HasSuffix(kind, "json") {
			decoder = openapi3filter.JSONBodyDecoder
		}
		openapi3filter.RegisterBodyDecoder(kind, decoder)
	}
	return &book{document(t), map[string]bool{}}
}

// ask sends a request to a handler, and holds what came back against the document;
// and the request too, if it was a good one.
func (b *book) ask(t *testing.T, handler http.Handler, method, address, body string, headers ...string) *httptest.ResponseRecorder {
	t.Helper()
	request := httptest.NewRequestWithContext(t.Context(), method, address, strings.NewReader(body))
	for i := 0; i+1 < len(headers); i += 2 {
		request.Header.Add(headers[i], headers[i+1])
	}
	recorder := httptest.NewRecorder()
	handler.ServeHTTP(recorder, request.Clone(t.Context()))
	b.check(t, request, body, recorder)
	return recorder
}

func (b *book) check(t *testing.T, request *http.Request, body string, got *httptest.ResponseRecorder) {
	t.Helper()
	path, variables := template(b.doc, request.URL.EscapedPath())
	item := b.doc.Paths.Value(path)
	if item == nil || item.GetOperation(request.Method) == nil {
		t.Errorf("%s %s is not in the document", request.Method, request.URL.Path)
		return
	}
	operation := item.GetOperation(request.Method)
	where := request.Method + " " + path
	asked := &openapi3filter.RequestValidationInput{
		Request: request, PathParams: variables,
		Route: &routers.Route{Spec: b.doc, Path: path, PathItem: item, Method: request.Method, Operation: operation},
		Options: &openapi3filter.Options{
			IncludeResponseStatus: true, MultiError: true, AuthenticationFunc: openapi3filter.NoopAuthenticationFunc,
			SchemaValidationOptions: []openapi3.SchemaValidationOption{openapi3.EnableFormatValidation()},
		},
	}
	request.Body = io.NopCloser(strings.NewReader(body))
	if got.Code < http.StatusBadRequest && operation.RequestBody != nil {
		if err := openapi3filter.ValidateRequest(t.Context(), asked); err != nil {
			t.Errorf("%s: the answer is %d, but the document refuses the request %s: %v", where, got.Code, body, err)
		}
	}
	answered := &openapi3filter.ResponseValidationInput{
		RequestValidationInput: asked, Status: got.Code, Header: got.Header(), Options: asked.Options,
		Body: io.NopCloser(bytes.NewReader(got.Body.Bytes())),
	}
	if err := openapi3filter.ValidateResponse(t.Context(), answered); err != nil {
		t.Errorf("%s: got %d %s: %v", where, got.Code, got.Body, err)
		return
	}
	b.seen[where+" "+http.StatusText(got.Code)] = true
	response := operation.Responses.Status(got.Code).Value
	if len(response.Content) == 0 && got.Body.Len() > 0 {
		t.Errorf("%s: %d has the body %s", where, got.Code, got.Body)
	}
	for name := range response.Headers {
		b.header(t, where, got, name, response.Headers[name].Value)
	}
	for _, name := range told {
		if got.Header().Get(name) != "" && response.Headers[name] == nil {
			t.Errorf("%s: the document does not say that %d has the header %s", where, got.Code, name)
		}
	}
	if code := codeOf(got.Body.Bytes()); code != "" {
		if response.Content.Get("application/json").Examples[code] == nil {
			t.Errorf("%s: the document does not say that %d may be %s", where, got.Code, code)
		}
		b.seen[where+" "+http.StatusText(got.Code)+" "+code] = true
	}
}

// header is for what the validator leaves out: it looks at no headers of a 304.
func (b *book) header(t *testing.T, where string, got *httptest.ResponseRecorder, name string, want *openapi3.Header) {
	t.Helper()
	if want.Required && got.Header().Get(name) == "" {
		t.Errorf("%s: %d lacks the header %s", where, got.Code, name)
	}
}

// spare tells that an answer need not be seen, with its codes.
func (b *book) spare(method, path string, status int, codes ...string) {
	answer := method + " " + path + " " + http.StatusText(status)
	b.seen[answer] = true
	for _, code := range codes {
		b.seen[answer+" "+code] = true
	}
}

// beside are codes that come from wherever the other one does: what asks a store can
// meet both.
var beside = map[string]string{"HLD-50002": "HLD-50001", "HLD-50303": "HLD-50301"}

// complete fails for what the document says and no answer was, below a path.
func (b *book) complete(t *testing.T, below string) {
	t.Helper()
	each(b.doc, func(method, path string, o *openapi3.Operation) {
		if !strings.HasPrefix(path, below) {
			return
		}
		for status, response := range o.Responses.Map() {
			answer := method + " " + path + " " + textOf(status)
			if !b.seen[answer] {
				t.Errorf("no answer was %s", answer)
			}
			media := response.Value.Content.Get("application/json")
			if media == nil || media.Schema.Ref != "#/components/schemas/Error" {
				continue
			}
			for code := range media.Examples {
				if !b.seen[answer+" "+code] && !b.seen[answer+" "+beside[code]] {
					t.Errorf("no answer was %s with %s", answer, code)
				}
			}
		}
	})
}

// jsonSchema are the rules of OpenAPI 3.1 for what is not part of an exchange.
var jsonSchema = []openapi3.SchemaValidationOption{openapi3.EnableJSONSchema2020(), openapi3.EnableFormatValidation()}

// send sends JSON, without a look into the document.
func send(t *testing.T, handler http.Handler, method, address, body string, headers ...string) *httptest.ResponseRecorder {
	t.Helper()
	request := httptest.NewRequestWithContext(t.Context(), method, address, strings.NewReader(body))
	request.Header.Set("Content-Type", "application/json")
	for i := 0; i+1 < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	recorder := httptest.NewRecorder()
	handler.ServeHTTP(recorder, request)
	return recorder
}

func read(t *testing.T, text string) any {
	t.Helper()
	var value any
	if err := json.Unmarshal([]byte(text), &value); err != nil {
		t.Fatal(err)
	}
	return value
}

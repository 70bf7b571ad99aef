package api_test

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
)

// codeOf reads the code of the error body; blank for another body.
func codeOf(body []byte) string {
	var fault struct {
		Code    string `json:"code"`
		TraceID string `json:"traceId"`
	}
	if json.Unmarshal(body, &fault) != nil || fault.TraceID == "" {
		return ""
	}
	return fault.Code
}

// textOf is the text of a status as the document writes it.
func textOf(status string) string {
	n, err := strconv.Atoi(status)
	if err != nil {
		return status
	}
	return http.StatusText(n)
}

type face struct{ status, description string }

// faults reads the table of errors' faces, which is not exported, from its source.
func faults(t *testing.T) map[string]face {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "../internal/web/fault.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]face{}
	ast.Inspect(file, func(n ast.Node) bool {
		literal, ok := n.(*ast.CompositeLit)
		if !ok || len(literal.Elts) != 3 {
			return true
		}
		if name, ok := literal.Type.(*ast.Ident); !ok || name.Name != "Fault" {
			return true
		}
		status, isStatus := literal.Elts[0].(*ast.SelectorExpr)
		code, isCode := literal.Elts[1].(*ast.BasicLit)
		description, isText := literal.Elts[2].(*ast.BasicLit)
		if !isStatus || !isCode || !isText {
			t.Errorf("a fault is written in another way: %v", literal.Elts)
			return true
		}
		found[unquoted(t, code)] = face{status.Sel.Name, unquoted(t, description)}
		return true
	})
	if len(found) < 30 {
		t.Fatalf("only %d faults were found", len(found))
	}
	return found
}

func unquoted(t *testing.T, literal *ast.BasicLit) string {
	t.Helper()
	text, err := strconv.Unquote(literal.Value)
	if err != nil {
		t.Error(err)
	}
	return text
}

// statusName is how net/http names a status by its text.
func statusName(text string) string { return "Status" + strings.ReplaceAll(text, " ", "") }

func TestTheCodesAreThoseOfTheTable(t *testing.T) {
	doc, want := document(t), faults(t)
	var listed []string
	for _, code := range doc.Components.Schemas["ErrorCode"].Value.Enum {
		listed = append(listed, code.(string))
	}
	slices.Sort(listed)
	if !slices.Equal(listed, keys(want)) {
		t.Errorf("the document lists %v\nthe table has %v", listed, keys(want))
	}
	for code, face := range want {
		example := doc.Components.Examples["error-"+code]
		if example == nil {
			t.Errorf("%s has no example", code)
			continue
		}
		body := example.Value.Value.(map[string]any)
		if body["code"] != code || statusName(body["message"].(string)) != face.status ||
			face.description != "" && body["description"] != face.description {
			t.Errorf("the example is %v, the table has %s %+v", body, code, face)
		}
	}
	for name := range doc.Components.Examples {
		if _, ok := want[strings.TrimPrefix(name, "error-")]; !ok {
			t.Errorf("the example %s is of no code", name)
		}
	}
}

// A response's examples are its codes, by name.
func TestTheCodesStandAtTheirStatus(t *testing.T) {
	doc, want := document(t), faults(t)
	check := func(where, status string, content openapi3.Content) {
		media := content.Get("application/json")
		if media == nil || media.Schema.Ref != "#/components/schemas/Error" {
			return
		}
		if len(media.Examples) == 0 {
			t.Errorf("%s has no codes", where)
		}
		for code, example := range media.Examples {
			if example.Ref != "#/components/examples/error-"+code {
				t.Errorf("%s: %s is shown by %s", where, code, example.Ref)
			}
			if status != "" && want[code].status != statusName(textOf(status)) {
				t.Errorf("%s: %s is a %s", where, code, want[code].status)
			}
		}
	}
	each(doc, func(method, path string, o *openapi3.Operation) {
		for status, response := range o.Responses.Map() {
			check(method+" "+path+" "+status, status, response.Value.Content)
		}
	})
	for name, response := range doc.Components.Responses {
		check(name, "", response.Value.Content)
	}
}

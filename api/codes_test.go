package api_test

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"io/fs"
	"net/http"
	"path/filepath"
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

// faults reads, from the sources, what callers are shown of each error: the calls of
// problem.New, and of problem.Within for codes that only it has.
func faults(t *testing.T) map[string]face {
	t.Helper()
	found, narrower := map[string]face{}, map[string]face{}
	err := filepath.WalkDir("../internal", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		if err != nil {
			return err
		}
		ast.Inspect(file, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok {
				return true
			}
			switch name := types.ExprString(call.Fun); {
			case name == "problem.New", name == "New" && file.Name.Name == "problem":
				readProblem(t, path, call.Args, found)
			case name == "problem.Within":
				readProblem(t, path, call.Args[1:], narrower)
			}
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for code, shown := range narrower {
		if _, ok := found[code]; !ok {
			found[code] = shown
		}
	}
	if len(found) < 30 {
		t.Fatalf("only %d codes were found", len(found))
	}
	return found
}

// readProblem reads the kind, the code and the text that an error is made with.
func readProblem(t *testing.T, path string, args []ast.Expr, into map[string]face) {
	t.Helper()
	code, isCode := args[1].(*ast.BasicLit)
	text, isText := args[2].(*ast.BasicLit)
	if !isCode || !isText {
		t.Errorf("%s: an error is made in another way: %s", path, types.ExprString(args[1]))
		return
	}
	kind := types.ExprString(args[0])
	status, ok := statuses[kind[strings.LastIndex(kind, ".")+1:]]
	if !ok {
		t.Errorf("%s: %s is no kind of this test", path, kind)
	}
	if name := unquoted(t, code); strings.HasPrefix(name, "HLD-") && name[4:7] != strconv.Itoa(status) {
		t.Errorf("%s: the code %s stands for %d", path, name, status)
	}
	into[unquoted(t, code)] = face{statusName(http.StatusText(status)), unquoted(t, text)}
}

var statuses = map[string]int{
	"Internal": 500, "Invalid": 400, "Unauthenticated": 401, "Forbidden": 403, "NotFound": 404, "NotAllowed": 405,
	"Conflict": 409, "TooLarge": 413, "Unsupported": 415, "Limited": 429, "Unavailable": 503,
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

package bulk_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/holdline/holdline/internal/scim"
	"github.com/holdline/holdline/internal/scim/bulk"
)

const base = "https://example.com/v2"

// server keeps what was done. It refuses what has a path or a userName in refuses.
type server struct {
	done    []string
	refuses map[string]int
	after   func() // called after each operation
}

func (s *server) do(_ context.Context, o bulk.Operation) bulk.Outcome {
	text, _ := json.Marshal(o.Data)
	if o.Data == nil {
		text = nil
	}
	s.done = append(s.done, strings.TrimSpace(fmt.Sprintf("%s %s %s", o.Method, o.Path, text)))
	if s.after != nil {
		defer s.after()
	}
	name, _ := o.Data["userName"].(string)
	for _, key := range []string{o.Method + " " + o.Path, o.Path, name} {
		if status := s.refuses[key]; status != 0 {
			return bulk.Outcome{Status: status, Body: map[string]any{"detail": "refused"}}
		}
	}
	outcome := bulk.Outcome{Status: http.StatusOK, Location: base + o.Path, Version: fmt.Sprintf(`W/"%d"`, len(s.done))}
	switch o.Method {
	case http.MethodPost:
		outcome.Status, outcome.ID = http.StatusCreated, "id-"+o.BulkID
		outcome.Location += "/" + outcome.ID
	case http.MethodDelete:
		outcome.Status, outcome.Version = http.StatusNoContent, ""
	}
	for i := range o.Data { // an operation is do's to change
		delete(o.Data, i)
	}
	return outcome
}

func read(tb testing.TB, text string) bulk.Request {
	tb.Helper()
	body, err := scim.ReadJSON([]byte(text), 1<<20)
	if err != nil {
		tb.Fatalf("%v in %s", err, text)
	}
	request, err := bulk.Read(body, bulk.Options{Base: base})
	if err != nil {
		tb.Fatal(err)
	}
	return request
}

func (s *server) run(tb testing.TB, operations string) []bulk.Result {
	tb.Helper()
	return bulk.Run(tb.Context(), read(tb, `{"Operations": [`+operations+`]}`), s.do).Operations
}

// statuses are those of results, with the bulkId where there is one.
func statuses(results []bulk.Result) string {
	var list []string
	for _, r := range results {
		list = append(list, strings.TrimPrefix(r.BulkID+":"+r.Status, ":"))
	}
	return strings.Join(list, " ")
}

// The example of RFC 7644, section 3.7.3.
func TestARequestIsAnsweredAsTheRFCShows(t *testing.T) {
	request := read(t, `{
		"schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],
		"failOnErrors": 1,
		"Operations": [
			{"method": "POST", "path": "/Users", "bulkId": "qwerty", "data": {"userName": "Alice"}},
			{"method": "PUT", "path": "/Users/b7c14771", "version": "W/\"3694e05e9dff590\"", "data": {"id": "b7c14771", "userName": "Bob"}},
			{"method": "PATCH", "path": "/Users/5d8d29d3", "version": "W/\"edac3253e2c0ef2\"",
			 "data": [{"op": "remove", "path": "nickName"}, {"op": "add", "path": "userName", "value": "Dave"}]},
			{"method": "DELETE", "path": "/Users/e9025315", "version": "W/\"0ee8add0a938e1a\""}
		]
	}`)
	var s server
	var versions []string
	response := bulk.Run(t.Context(), request, func(ctx context.Context, o bulk.Operation) bulk.Outcome {
		versions = append(versions, o.Version)
		return s.do(ctx, o)
	})
	text, err := json.Marshal(response)
	if err != nil {
		t.Fatal(err)
	}
	want := `{"schemas":["urn:ietf:params:scim:api:messages:2.0:BulkResponse"],"Operations":[` +
		`{"location":"https://example.com/v2/Users/id-qwerty","method":"POST","bulkId":"qwerty","version":"W/\"1\"","status":"201"},` +
		`{"location":"https://example.com/v2/Users/b7c14771","method":"PUT","version":"W/\"2\"","status":"200"},` +
		`{"location":"https://example.com/v2/Users/5d8d29d3","method":"PATCH","version":"W/\"3\"","status":"200"},` +
		`{"location":"https://example.com/v2/Users/e9025315","method":"DELETE","status":"204"}]}`
	if diff := cmp.Diff(want, string(text)); diff != "" {
		t.Errorf("answer (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{
		`POST /Users {"userName":"Alice"}`,
		`PUT /Users/b7c14771 {"id":"b7c14771","userName":"Bob"}`,
		`PATCH /Users/5d8d29d3 {"Operations":[{"op":"remove","path":"nickName"},{"op":"add","path":"userName","value":"Dave"}],` +
			`"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"]}`,
		`DELETE /Users/e9025315`,
	}, s.done); diff != "" {
		t.Errorf("done (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"", `W/"3694e05e9dff590"`, `W/"edac3253e2c0ef2"`, `W/"0ee8add0a938e1a"`}, versions); diff != "" {
		t.Errorf("versions (-want +got):\n%s", diff)
	}
}

// The error of RFC 7644, section 3.7.3: it is the operation's own.
func TestAFaultOfOneOperationIsItsOwn(t *testing.T) {
	for name, tt := range map[string]struct{ operation, want string }{
		"not an object":        {`1`, `{"status":"400"`},
		"a member twice":       {`{"method": "POST", "METHOD": "POST"}`, `{"status":"400"`},
		"no method":            {`{"path": "/Users/1", "data": {}}`, `{"location":"https://example.com/v2/Users/1","status":"400"`},
		"another method":       {`{"method": "GET", "path": "/Users/1"}`, `{"location":"https://example.com/v2/Users/1","status":"400"`},
		"no path":              {`{"method": "PUT", "data": {}}`, `{"method":"PUT","status":"400"`},
		"a path of no slash":   {`{"method": "PUT", "path": "Users/1", "data": {}}`, `{"method":"PUT","status":"400"`},
		"a path with a query":  {`{"method": "PUT", "path": "/Users/1?a=b", "data": {}}`, `{"method":"PUT","status":"400"`},
		"a path that goes on":  {`{"method": "PUT", "path": "/Users/1/2", "data": {}}`, `{"method":"PUT","status":"400"`},
		"a path without an id": {`{"method": "DELETE", "path": "/Users"}`, `{"method":"DELETE","status":"400"`},
		"a path with an id":    {`{"method": "POST", "path": "/Users/1", "bulkId": "a", "data": {}}`, `{"method":"POST","bulkId":"a","status":"400"`},
		"a path that refers":   {`{"method": "POST", "path": "/bulkId:a", "bulkId": "a", "data": {}}`, `{"method":"POST","bulkId":"a","status":"400"`},
		"no bulkId":            {`{"method": "POST", "path": "/Users", "data": {}}`, `{"method":"POST","status":"400"`},
		"a bulkId of no text":  {`{"method": "POST", "path": "/Users", "bulkId": 1, "data": {}}`, `{"method":"POST","status":"400"`},
		"a bulkId of another":  {`{"method": "POST", "path": "/Users", "bulkId": "z", "data": {}}`, `{"method":"POST","bulkId":"z","status":"400"`},
		"no data":              {`{"method": "POST", "path": "/Users", "bulkId": "a"}`, `{"method":"POST","bulkId":"a","status":"400"`},
		"data in a list":       {`{"method": "PUT", "path": "/Users/1", "data": [{}]}`, `{"location":"https://example.com/v2/Users/1","method":"PUT","status":"400"`},
		"a version of no text": {`{"method": "DELETE", "path": "/Users/1", "version": 1}`, `{"location":"https://example.com/v2/Users/1","method":"DELETE","status":"400"`},
	} {
		t.Run(name, func(t *testing.T) {
			var s server
			good := `{"method": "post", "PATH": "/Users", "BulkID": "z", "data": {}}`
			got := s.run(t, good+`,`+tt.operation+`, {"method": "Delete", "path": "/Users/9", "data": null, "bulkId": null}`)
			if len(got) != 3 || got[0].Status != "201" || got[2].Status != "204" || len(s.done) != 2 {
				t.Fatalf("got %+v, done %q", got, s.done)
			}
			text, _ := json.Marshal(got[1])
			if !strings.HasPrefix(string(text), tt.want+`,"response":{"schemas":["urn:ietf:params:scim:api:messages:2.0:Error"],"status":"400","scimType":"invalid`) {
				t.Errorf("got %s, want %s and the error", text, tt.want)
			}
		})
	}
}

func TestAWholeRequestIsRefusedForWhatIsWrongWithAllOfIt(t *testing.T) {
	for name, tt := range map[string]struct {
		body string
		want scim.Error
	}{
		"no operations":         {`{}`, scim.Error{Status: 400, ScimType: scim.InvalidSyntax}},
		"operations of no list": {`{"Operations": {}}`, scim.Error{Status: 400, ScimType: scim.InvalidSyntax}},
		"operations twice":      {`{"Operations": [], "operations": []}`, scim.Error{Status: 400, ScimType: scim.InvalidSyntax}},
		"a negative number":     {`{"Operations": [], "failOnErrors": -1}`, scim.Error{Status: 400, ScimType: scim.InvalidValue}},
		"a number in parts":     {`{"Operations": [], "failOnErrors": 1.5}`, scim.Error{Status: 400, ScimType: scim.InvalidValue}},
		"a number as text":      {`{"Operations": [], "failOnErrors": "1"}`, scim.Error{Status: 400, ScimType: scim.InvalidValue}},
		"too many operations":   {`{"Operations": [1, 2, 3]}`, scim.Error{Status: 413}},
		"as many as there may":  {`{"operations": [1, 2], "failonerrors": 0}`, scim.Error{}},
	} {
		t.Run(name, func(t *testing.T) {
			body, err := scim.ReadJSON([]byte(tt.body), 1<<20)
			if err != nil {
				t.Fatal(err)
			}
			_, err = bulk.Read(body, bulk.Options{MaxOperations: 2})
			var got scim.Error
			if fault := (*scim.Error)(nil); errors.As(err, &fault) {
				got = *fault
			}
			if got.Status == 413 && !strings.Contains(got.Detail, "maxOperations (2)") {
				t.Errorf("the limit is not told: %s", got.Detail)
			}
			got.Detail = ""
			if got != tt.want {
				t.Errorf("got %v (%v), want %v", got, err, tt.want)
			}
		})
	}
	body := map[string]any{"Operations": make([]any, bulk.DefaultMaxOperations+1)}
	if _, err := bulk.Read(body, bulk.Options{}); err == nil {
		t.Error("more than the default is read")
	}
}

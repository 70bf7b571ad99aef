package harness

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// Vector is a request that a client sends, and what its answer has to be.
type Vector struct {
	ID           string             `json:"id"`
	Client       string             `json:"client"`
	Profile      string             `json:"profile"`
	Method       string             `json:"method"`
	Path         string             `json:"path"`
	Headers      map[string]*string `json:"headers"`
	Body         json.RawMessage    `json:"body"`
	RawBody      *string            `json:"rawBody"`
	ExpectStatus statuses           `json:"expectStatus"`
	Expect       []expectation      `json:"expect"`
	Save         map[string]string  `json:"save"`
	Note         string             `json:"note"`
	// Fails says why the product does not do what is expected here, on purpose
	// or not yet.
	Fails string `json:"fails"`
}

// Suite is a public suite of requests, written down as vectors.
type Suite struct {
	Format string `json:"format"`
	Name   string `json:"name"`
	// Source is where the requests were published.
	Source  string   `json:"source"`
	Vectors []Vector `json:"vectors"`
}

// statuses are one number or a list of them.
type statuses []int

// UnmarshalJSON reads either.
func (s *statuses) UnmarshalJSON(text []byte) error {
	if bytes.HasPrefix(text, []byte("[")) {
		return json.Unmarshal(text, (*[]int)(s))
	}
	*s = []int{0}
	return json.Unmarshal(text, &(*s)[0])
}

// expectation is what a part of an answer has to be.
type expectation struct {
	Path      string          `json:"path"`
	Equals    json.RawMessage `json:"equals"`
	NotEquals json.RawMessage `json:"notEquals"`
	Exists    *bool           `json:"exists"`
	Empty     bool            `json:"empty"` // missing, null or a blank text
	IsArray   bool            `json:"isArray"`
	Contains  json.RawMessage `json:"contains"`
	Header    string          `json:"header"`
	Matches   string          `json:"matches"`
}

// ReadVectors reads a file of vectors.
func ReadVectors(t testing.TB, name string) []Vector {
	t.Helper()
	return ReadSuite(t, name).Vectors
}

// ReadSuite reads a file of vectors, with what it says about them.
func ReadSuite(t testing.TB, name string) Suite {
	t.Helper()
	var file Suite
	content, err := os.ReadFile(name)
	if err == nil {
		err = json.Unmarshal(content, &file)
	}
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	if file.Format != "scim-vectors/1" || len(file.Vectors) == 0 {
		t.Fatalf("%s: %d vectors of the format %q", name, len(file.Vectors), file.Format)
	}
	return file
}

// Client runs vectors, in order, because later ones use what earlier ones saved.
type Client struct {
	// Base is the bridge's URL.
	Base string
	// Vars are by their names in double braces.
	Vars map[string]any
	// Authorize returns the header of a vector's request.
	Authorize func(Vector) Header
}

var variable = regexp.MustCompile(`{{(\w+)}}`)

// Fill puts variables into a text.
func (c *Client) Fill(text string) string {
	return variable.ReplaceAllStringFunc(text, func(found string) string {
		if value, ok := c.Vars[strings.Trim(found, "{}")]; ok {
			return fmt.Sprint(value)
		}
		return found
	})
}

// fill puts variables into a document.
func (c *Client) fill(value any) any {
	switch value := value.(type) {
	case string:
		return c.Fill(value)
	case tree:
		filled := tree{}
		for name, member := range value {
			filled[c.Fill(name)] = c.fill(member)
		}
		return filled
	case []any:
		filled := make([]any, len(value))
		for i, element := range value {
			filled[i] = c.fill(element)
		}
		return filled
	default:
		return value
	}
}

// parsed is a document with variables put in.
func (c *Client) parsed(t testing.TB, text json.RawMessage) any {
	t.Helper()
	var value any
	if err := json.Unmarshal(text, &value); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	return c.fill(value)
}

// Run sends a vector's request and reports what differs.
func (c *Client) Run(t testing.TB, v Vector) {
	t.Helper()
	for _, differs := range c.Differences(t, v) {
		t.Error(differs)
	}
}

// Differences sends a vector's request, and returns how the answer differs from
// what is expected.
func (c *Client) Differences(t testing.TB, v Vector) []string {
	t.Helper()
	answer := c.send(t, v)
	asked := fmt.Sprintf("%s %s: answer %d %s\nnote: %s", v.Method, c.Fill(v.Path), answer.Status, answer.Body, v.Note)
	if !slices.Contains(v.ExpectStatus, answer.Status) {
		return []string{fmt.Sprintf("%s\nwant one of %v", asked, v.ExpectStatus)}
	}
	if answer.Status == http.StatusNoContent && (v.Method == http.MethodPatch || v.Method == http.MethodPut) {
		read := v
		read.Method, read.Body, read.RawBody = http.MethodGet, nil, nil
		answer = c.send(t, read)
	}
	document := missing
	var differences []string
	if answer.Body != "" {
		document = nil // a pointer would be read into
		if err := json.Unmarshal([]byte(answer.Body), &document); err != nil {
			differences = append(differences, fmt.Sprintf("the answer is no JSON: %v: %s", err, answer.Body))
		}
	}
	for _, e := range v.Expect {
		if differs := c.compare(t, e, answer, document); differs != "" {
			differences = append(differences, differs)
		}
	}
	if len(differences) > 0 {
		differences = append(differences, asked)
	}
	for name, from := range v.Save {
		if header, isHeader := strings.CutPrefix(from, "header:"); isHeader {
			c.Vars[name] = answer.Header.Get(header)
		} else if value := at(document, from); value != missing {
			c.Vars[name] = value
		}
	}
	return differences
}

func (c *Client) send(t testing.TB, v Vector) Answer {
	t.Helper()
	headers := map[string]string{}
	for _, header := range []Header{SCIMBody, c.Authorize(v)} {
		for i := 0; i+1 < len(header); i += 2 {
			headers[header[i]] = header[i+1]
		}
	}
	for name, value := range v.Headers {
		delete(headers, name)
		if value != nil {
			headers[name] = c.Fill(*value)
		}
	}
	var all Header
	for name, value := range headers {
		all = append(all, name, value)
	}
	body := ""
	if v.RawBody != nil {
		body = *v.RawBody
	} else if v.Body != nil {
		body = marshal(t, c.parsed(t, v.Body))
	}
	return Send(t, v.Method, c.Base+c.Fill(v.Path), body, all)
}

// compare tells how an answer differs from what is expected, or is blank.
func (c *Client) compare(t testing.TB, e expectation, answer Answer, document any) string {
	t.Helper()
	if e.Header != "" {
		if got := answer.Header.Get(e.Header); !regexp.MustCompile(e.Matches).MatchString(got) {
			return fmt.Sprintf("header %s: got %q, want %s", e.Header, got, e.Matches)
		}
		return ""
	}
	got := at(document, c.Fill(e.Path))
	there := got != missing && got != nil
	list, isList := got.([]any)
	switch {
	case e.Exists != nil && there != *e.Exists:
		return fmt.Sprintf("%s: got %s, want existence %t", e.Path, show(got), *e.Exists)
	case e.Empty && there && got != "":
		return fmt.Sprintf("%s: got %s, want nothing", e.Path, show(got))
	case e.IsArray && !isList:
		return fmt.Sprintf("%s: got %s, want an array", e.Path, show(got))
	case e.Equals != nil && !reflect.DeepEqual(got, c.parsed(t, e.Equals)):
		return fmt.Sprintf("%s: got %s, want %s", e.Path, show(got), c.Fill(string(e.Equals)))
	case e.NotEquals != nil && reflect.DeepEqual(got, c.parsed(t, e.NotEquals)):
		return fmt.Sprintf("%s: got %s, want anything else", e.Path, show(got))
	case e.Contains != nil && !slices.ContainsFunc(list, func(element any) bool { return reflect.DeepEqual(element, c.parsed(t, e.Contains)) }):
		return fmt.Sprintf("%s: got %s, want one of them to be %s", e.Path, show(got), e.Contains)
	}
	return ""
}

// missing is what a path to nothing finds.
var missing any = &struct{ int }{}

func show(value any) string {
	if value == missing {
		return "nothing"
	}
	text, _ := json.Marshal(value) // it was read from JSON
	return string(text)
}

var step = regexp.MustCompile(`\.([A-Za-z_$][\w$-]*)|\['([^']+)'\]|\[(\d+)\]|\[\?(\w+)=([^\]]+)\]`)

// at follows a path such as $.emails[?type=work].value.
func at(value any, path string) any {
	for _, found := range step.FindAllStringSubmatch(path, -1) {
		switch name := found[1] + found[2]; {
		case name != "":
			object, _ := value.(tree)
			member, ok := object[name]
			if !ok {
				return missing
			}
			value = member
		case found[3] != "":
			list, _ := value.([]any)
			n, err := strconv.Atoi(found[3])
			if err != nil || n >= len(list) {
				return missing
			}
			value = list[n]
		default:
			list, _ := value.([]any)
			n := slices.IndexFunc(list, func(element any) bool {
				object, _ := element.(tree)
				return fmt.Sprint(object[found[4]]) == found[5]
			})
			if n < 0 {
				return missing
			}
			value = list[n]
		}
	}
	return value
}

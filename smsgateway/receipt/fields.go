package receipt

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/holdline/holdline/internal/message"
)

// Request is a receipt as its provider sent it.
type Request struct {
	URL    string // that the provider called
	Header http.Header
	Query  url.Values
	Body   []byte
	Now    time.Time // when it came
}

// Bearer returns the token of that scheme in Authorization; blank for another
// scheme, or none.
func (r Request) Bearer() string {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return ""
	}
	return strings.TrimSpace(token)
}

// Fields are what a receipt says, by name, nested as JSON nests it.
type Fields map[string]any

// Text returns the first of the named values that is there, as text.
func (f Fields) Text(names ...string) string {
	for _, name := range names {
		var value any = map[string]any(f)
		for _, step := range strings.Split(name, ".") {
			inner, _ := value.(map[string]any)
			value = inner[step]
		}
		switch value := value.(type) {
		case string:
			if value != "" {
				return value
			}
		case json.Number:
			return value.String()
		}
	}
	return ""
}

// Add takes a form's values, the first of each name, unless there are such already.
func (f Fields) Add(form url.Values) {
	for name, values := range form {
		if _, given := f[name]; !given {
			f[name] = values[0]
		}
	}
}

// BodyFields reads a JSON object or a form. Only one of them begins with a brace.
// The error is message.ErrReceiptUnreadable.
func (r Request) BodyFields() (Fields, error) {
	read := Fields{}
	body := bytes.TrimSpace(r.Body)
	if !bytes.HasPrefix(body, []byte("{")) {
		form, err := url.ParseQuery(string(body))
		if err != nil {
			return nil, message.ErrReceiptUnreadable
		}
		read.Add(form)
		return read, nil
	}
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber()
	// The decoder's own errors quote the body, so they go no further.
	if decoder.Decode(&read) != nil {
		return nil, message.ErrReceiptUnreadable
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return nil, message.ErrReceiptUnreadable
	}
	return read, nil
}

// AllFields reads the body and the query; the body comes first.
func (r Request) AllFields() (Fields, error) {
	read, err := r.BodyFields()
	if err == nil {
		read.Add(r.Query)
	}
	return read, err
}

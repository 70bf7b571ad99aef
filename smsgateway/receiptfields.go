package smsgateway

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/holdline/holdline/internal/claim"
)

// receiptRequest is a request as its provider made it.
type receiptRequest struct {
	url    string // that the provider called
	header http.Header
	query  url.Values
	body   []byte
	now    time.Time
}

// fields are what a receipt says, by name, nested as JSON nests it.
type fields map[string]any

// text returns the first of the named values that is there, as text.
func (f fields) text(names ...string) string {
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

// add takes a form's values, the first of each name, unless there are such already.
func (f fields) add(form url.Values) {
	for name, values := range form {
		if _, given := f[name]; !given {
			f[name] = values[0]
		}
	}
}

// bodyFields reads a JSON object or a form. Only one of them begins with a brace.
func (r receiptRequest) bodyFields() (fields, error) {
	read := fields{}
	body := bytes.TrimSpace(r.body)
	if !bytes.HasPrefix(body, []byte("{")) {
		form, err := url.ParseQuery(string(body))
		if err != nil {
			return nil, claim.ErrReceiptUnreadable
		}
		read.add(form)
		return read, nil
	}
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber()
	// The decoder's own errors quote the body, so they go no further.
	if decoder.Decode(&read) != nil {
		return nil, claim.ErrReceiptUnreadable
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return nil, claim.ErrReceiptUnreadable
	}
	return read, nil
}

// allFields reads the body and the query; the body comes first.
func (r receiptRequest) allFields() (fields, error) {
	read, err := r.bodyFields()
	if err == nil {
		read.add(r.query)
	}
	return read, err
}

package scim

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"unicode/utf8"
)

// maxNesting is how deep objects and lists may stand in one another. A PATCH of a
// bulk request needs ten.
const maxNesting = 32

// ReadJSON reads the one JSON object of a request of at most limit bytes. Numbers
// are json.Number. It refuses with invalidSyntax what encoding/json would repair in
// silence: bytes that are not UTF-8, and members that are there twice. A body that
// is too long is a 413.
func ReadJSON(body []byte, limit int) (map[string]any, error) {
	switch {
	case len(body) > limit:
		return nil, &Error{Status: http.StatusRequestEntityTooLarge, Detail: fmt.Sprintf("the body is longer than %d bytes", limit)}
	case !utf8.Valid(body):
		return nil, Bad(InvalidSyntax, "the body is not UTF-8 text")
	case !json.Valid(body):
		return nil, Bad(InvalidSyntax, "the body is not one JSON value")
	}
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber()
	value, err := readValue(decoder, maxNesting)
	if err != nil {
		return nil, err
	}
	object, ok := value.(map[string]any)
	if !ok {
		return nil, Bad(InvalidSyntax, "the body is not a JSON object")
	}
	return object, nil
}

func readValue(decoder *json.Decoder, depth int) (any, error) {
	token, err := decoder.Token()
	if err != nil {
		return nil, Bad(InvalidSyntax, "the body is not one JSON value")
	}
	switch token {
	case json.Delim('{'):
		return readObject(decoder, depth-1)
	case json.Delim('['):
		return readList(decoder, depth-1)
	default:
		return token, nil
	}
}

func readObject(decoder *json.Decoder, depth int) (map[string]any, error) {
	if depth < 0 {
		return nil, tooDeep()
	}
	object := map[string]any{}
	for decoder.More() {
		token, err := decoder.Token()
		if err != nil {
			return nil, Bad(InvalidSyntax, "the body is not one JSON value")
		}
		name, ok := token.(string)
		if _, twice := object[name]; twice || !ok {
			return nil, Bad(InvalidSyntax, "an object has two members of the same name")
		}
		if object[name], err = readValue(decoder, depth); err != nil {
			return nil, err
		}
	}
	_, err := decoder.Token()
	return object, err
}

func readList(decoder *json.Decoder, depth int) ([]any, error) {
	if depth < 0 {
		return nil, tooDeep()
	}
	list := []any{}
	for decoder.More() {
		value, err := readValue(decoder, depth)
		if err != nil {
			return nil, err
		}
		list = append(list, value)
	}
	_, err := decoder.Token()
	return list, err
}

func tooDeep() error {
	return Bad(InvalidSyntax, fmt.Sprintf("the body is nested more than %d deep", maxNesting))
}

package userapi

import (
	"encoding/json"
	"strings"

	"github.com/holdline/holdline/internal/web"
)

// typedCode is a code as a client sent it: text, or a JSON number.
type typedCode struct {
	text   string
	number bool
}

// UnmarshalJSON keeps a number as it is written.
func (c *typedCode) UnmarshalJSON(raw []byte) error {
	var number json.Number
	if raw[0] != '"' && json.Unmarshal(raw, &number) == nil && number != "" {
		*c = typedCode{number.String(), true}
		return nil
	}
	return json.Unmarshal(raw, &c.text)
}

// read returns the code. Of a number nobody knows which zeros it has lost, unless
// it has as many digits as a code. The error is web.ErrMalformed for no code, or
// web.ErrCodeNumber.
func (c typedCode) read(length int) (string, error) {
	switch {
	case c.text == "":
		return "", web.ErrMalformed
	case c.number && (len(c.text) != length || strings.Trim(c.text, "0123456789") != ""):
		return "", web.ErrCodeNumber
	default:
		return c.text, nil
	}
}

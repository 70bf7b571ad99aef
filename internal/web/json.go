package web

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"slices"

	"github.com/gin-gonic/gin"

	"github.com/holdline/holdline/internal/claim"
)

// None stands for no request body, or no answer.
type None struct{}

// OwnerJSON adapts a function that acts for an owner: it authenticates the
// caller, reads one JSON object into In, and answers with success and Out.
func OwnerJSON[In, Out any](
	e *Server, success int, do func(context.Context, claim.Caller, In) (Out, error),
) gin.HandlerFunc {
	return func(c *gin.Context) {
		caller, err := e.owner(c)
		if err != nil {
			e.Fail(c, err)
			return
		}
		var in In
		if _, none := any(in).(None); !none {
			if err := ReadJSON(c.Writer, c.Request, &in, true); err != nil {
				e.Fail(c, err)
				return
			}
		}
		out, err := do(c.Request.Context(), caller, in)
		if err != nil {
			e.Fail(c, err)
			return
		}
		Answer(c, success, out)
	}
}

// Answer writes a successful answer; None has no body.
func Answer(c *gin.Context, status int, out any) {
	c.Header("Cache-Control", "no-store")
	if _, none := out.(None); none {
		c.Status(status)
		c.Writer.WriteHeaderNow()
		return
	}
	c.JSON(status, out)
}

// ReadJSON reads one JSON value of at most MaxBody bytes. Strict refuses members
// that into does not have. Errors: ErrMediaType, ErrTooLarge, ErrMalformed.
func ReadJSON(w http.ResponseWriter, r *http.Request, into any, strict bool) error {
	return readJSON(w, r, into, strict, jsonType)
}

// ReadMergePatch reads the body of a PATCH: a JSON merge patch (RFC 7396), under
// its own media type or as plain JSON. Errors are those of [ReadJSON].
func ReadMergePatch(w http.ResponseWriter, r *http.Request, into any) error {
	return readJSON(w, r, into, false, jsonType, "application/merge-patch+json")
}

const jsonType = "application/json"

func readJSON(w http.ResponseWriter, r *http.Request, into any, strict bool, kinds ...string) error {
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || !slices.Contains(kinds, kind) {
		return ErrMediaType
	}
	body, err := ReadBody(w, r, MaxBody)
	if err != nil {
		return err
	}
	if trimmed := bytes.TrimSpace(body); len(trimmed) == 0 || trimmed[0] != '{' {
		return ErrMalformed
	}
	// The decoder's own errors quote the body, so they go no further.
	if !strict {
		if json.Unmarshal(body, into) != nil {
			return ErrMalformed
		}
		return nil
	}
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.DisallowUnknownFields()
	if decoder.Decode(into) != nil || len(bytes.Trim(body[decoder.InputOffset():], blanks)) > 0 {
		return ErrMalformed
	}
	return nil
}

// blanks are what may stand around a JSON value (RFC 8259, section 2).
const blanks = " \t\r\n"

// ReadBody reads a whole body of at most that many bytes. Errors: ErrTooLarge,
// ErrMalformed, and one of which [HungUp] is true.
func ReadBody(w http.ResponseWriter, r *http.Request, most int64) ([]byte, error) {
	body, err := io.ReadAll(http.MaxBytesReader(innermost(w), r.Body, most))
	tooLarge, broken := (*http.MaxBytesError)(nil), (*net.OpError)(nil)
	switch {
	case err == nil:
		return body, nil
	case errors.As(err, &tooLarge):
		return nil, ErrTooLarge
	case errors.Is(err, io.ErrUnexpectedEOF), errors.As(err, &broken) && !broken.Timeout():
		return nil, errHungUp
	default:
		return nil, fmt.Errorf("%w: body broke off", ErrMalformed)
	}
}

// innermost returns the server's own writer. Only that one hears of a body that
// is cut off, and then lets the client read the answer before it hangs up.
func innermost(w http.ResponseWriter) http.ResponseWriter {
	for {
		outer, ok := w.(interface{ Unwrap() http.ResponseWriter })
		if !ok {
			return w
		}
		w = outer.Unwrap()
	}
}

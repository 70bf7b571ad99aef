package provider

import (
	"bytes"
	"io"
	"net/http"
)

// Exchange is a request and its answer, with all that is secret in them.
type Exchange struct {
	Method, URL  string
	Header       http.Header
	Body         []byte
	Status       int // 0 if there was no answer
	AnswerHeader http.Header
	Answer       []byte // its beginning
}

// observed is a transport whose exchanges are told.
type observed struct {
	http.RoundTripper
	tell func(Exchange)
}

// RoundTrip reads the answer as far as [HTTP] would.
func (o observed) RoundTrip(req *http.Request) (*http.Response, error) {
	e := Exchange{Method: req.Method, URL: req.URL.String(), Header: req.Header.Clone()}
	if req.Body != nil {
		body, err := io.ReadAll(io.LimitReader(req.Body, longestBody+1))
		_ = req.Body.Close() // It was only read.
		if err != nil {
			return nil, err
		}
		e.Body = body
		clone := req.Clone(req.Context())
		clone.Body = io.NopCloser(bytes.NewReader(body))
		req = clone
	}
	res, err := o.RoundTripper.RoundTrip(req)
	if err != nil {
		o.tell(e)
		return nil, err
	}
	e.Status, e.AnswerHeader = res.StatusCode, res.Header.Clone()
	answer, err := io.ReadAll(io.LimitReader(res.Body, longestAnswer))
	e.Answer = answer
	o.tell(e)
	res.Body = &readAgain{io.MultiReader(bytes.NewReader(answer), failing{err}, res.Body), res.Body}
	return res, nil
}

// readAgain is a body whose beginning was read.
type readAgain struct {
	io.Reader
	io.Closer
}

// failing repeats what reading failed with.
type failing struct{ err error }

func (f failing) Read([]byte) (int, error) {
	if f.err != nil {
		return 0, f.err
	}
	return 0, io.EOF
}

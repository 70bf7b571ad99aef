package web_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/holdline/holdline/internal/web"
)

// A body is one JSON object and nothing else, however strictly its members are taken.
func TestABodyIsOneObject(t *testing.T) {
	for body, want := range map[string]error{
		`{"code":"1"}`:               nil,
		" \t\r\n{\"code\":\"1\"}\n ": nil,
		`{"code":"1"}{}`:             web.ErrMalformed,
		`{"code":"1"} x`:             web.ErrMalformed,
		"{\"code\":\"1\"}\u00a0":     web.ErrMalformed,
		"{\"code\":\"1\"}\v":         web.ErrMalformed,
		`{"code":"1"`:                web.ErrMalformed,
		`{"code":1}`:                 web.ErrMalformed,
		`[{"code":"1"}]`:             web.ErrMalformed,
		`null`:                       web.ErrMalformed,
		``:                           web.ErrMalformed,
	} {
		for _, strict := range []bool{false, true} {
			var in struct {
				Code string `json:"code"`
			}
			r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body))
			r.Header.Set("Content-Type", "application/json")
			err := web.ReadJSON(httptest.NewRecorder(), r, &in, strict)
			if !errors.Is(err, want) || want == nil && in.Code != "1" {
				t.Errorf("%q, strict %t: got %v and %q, want %v", body, strict, err, in.Code, want)
			}
		}
	}
}

func TestOnlyAStrictBodyRefusesOtherMembers(t *testing.T) {
	for strict, want := range map[bool]error{false: nil, true: web.ErrMalformed} {
		r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(`{"other":1}`))
		r.Header.Set("Content-Type", "application/json")
		if err := web.ReadJSON(httptest.NewRecorder(), r, &struct{}{}, strict); !errors.Is(err, want) {
			t.Errorf("strict %t: got %v, want %v", strict, err, want)
		}
	}
}

package userapi_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
)

// A number is a code only if nothing of it can be lost.
func TestACodeMayBeAJSONNumber(t *testing.T) {
	for code, want := range map[string]string{ // blank: refused
		`"123456"`: "123456", `123456`: "123456", `"012345"`: "012345", `"12345"`: "12345",
		`12345`: "", `1234567`: "", `123456.0`: "", `1.5e3`: "", `12345e`: "-", `-12345`: "", `1e5`: "", `0`: "", `100e03`: "",
		`012345`: "-", `null`: "-", `true`: "-", `[1]`: "-", `{}`: "-", `""`: "-",
	} {
		for path, body := range map[string]string{
			"/me/validate-code": `{"code":` + code + `}`,
			"/validate-code":    `{"code":` + code + `,"user":{"username":"bob@example.com"}}`,
		} {
			c := &claims{}
			got := callOn(t, c, http.MethodPost, strings.TrimSuffix(root, "/")+path, body, "X-Session-Token", map[bool]string{true: "bobs-token", false: "roots-token"}[strings.HasPrefix(path, "/me")])
			switch {
			case want == "" || want == "-":
				saysSo := strings.Contains(got.Body.String(), "send it as text")
				if got.Code != http.StatusBadRequest || saysSo != (want == "") || len(c.calls) > 0 || !strings.Contains(got.Body.String(), `"HLD-40001"`) {
					t.Errorf("%s %s: got %d %s after %v", path, code, got.Code, got.Body, c.calls)
				}
			case got.Code != http.StatusAccepted || !slices.Equal(c.calls, []string{"confirm " + want}):
				t.Errorf("%s %s: got %d %s after %v", path, code, got.Code, got.Body, c.calls)
			}
		}
	}
}

package verify_test

import (
	"net/http"
	"net/url"
	"testing"

	"github.com/holdline/holdline/portal/verify"
)

func TestOnlyListedAddressesAreReturnedTo(t *testing.T) {
	w := newWorld(t, func(w *world) {
		nothingPending(w)
		w.options.Returns = verify.ReturnURLs{Allowed: []string{"https://app.example.com/me", "https://bare.example.com", "http://127.0.0.1:4455", "https://port.example.com:443/"}}
	})
	for address, want := range map[string]bool{
		"https://app.example.com/me":                   true,
		"https://app.example.com/me/":                  true,
		"https://app.example.com/me/phone?x=1&y=a b":   false,
		"https://app.example.com/me/phone?x=1#top":     true,
		"HTTPS://APP.example.com/me":                   true,
		"https://app.example.com:443/me":               true,
		"https://bare.example.com":                     true,
		"https://bare.example.com/anything?q=%2F":      true,
		"https://port.example.com/x":                   true,
		"http://127.0.0.1:4455/account":                true,
		"https://app.example.com":                      false,
		"https://app.example.com/":                     false,
		"https://app.example.com/mean":                 false,
		"https://app.example.com/ME":                   false,
		"http://app.example.com/me":                    false,
		"https://app.example.com:8443/me":              false,
		"http://127.0.0.1:4456/account":                false,
		"https://app.example.com.evil.com/me":          false,
		"https://evil.com/https://app.example.com/me":  false,
		"https://evil.com?https://app.example.com/me":  false,
		"https://evil.com#@app.example.com/me":         false,
		"https://app.example.com@evil.com/me":          false,
		"https://bob:pw@app.example.com/me":            false,
		"https://app.example.com/me/../evil":           false,
		"https://app.example.com/me/./x":               false,
		"https://app.example.com/me/%2e%2e/evil":       false,
		"https://app.example.com/me/%2E./evil":         false,
		"https://app.example.com/me%2f..%2fevil":       false,
		"https://app.example.com/me/%252e%252e/evil":   false,
		"https://app.example.com/me%5c..%5cevil":       false,
		`https://app.example.com\@evil.com/me`:         false,
		`https:\\app.example.com/me`:                   false,
		"https:app.example.com/me":                     false,
		"https:/app.example.com/me":                    false,
		"https:///app.example.com/me":                  false,
		"//app.example.com/me":                         false,
		"//evil.com":                                   false,
		"/me":                                          false,
		"me":                                           false,
		" https://app.example.com/me":                  false,
		"https://app.example.com/me\n":                 false,
		"https://app.exa\tmple.com/me":                 false,
		"https://аpp.example.com/me":                   false, // Cyrillic а
		"https://app.example.com\u3002evil.com/me":     false,
		"javascript:alert(1)//https://app.example.com": false,
		"data:text/html,x":                             false,
		"ftp://app.example.com/me":                     false,
		"https://[::1":                                 false,
		"https://app.example.com:x/me":                 false,
	} {
		got := w.get("?return_to=" + url.QueryEscape(address))
		if led := got.Code == http.StatusSeeOther && got.Header().Get("Location") == address; led != want {
			t.Errorf("%q: got %d to %q, want to be led there: %t", address, got.Code, got.Header().Get("Location"), want)
		}
	}
}

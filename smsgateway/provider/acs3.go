package provider

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

const acs3 = "ACS3-HMAC-SHA256"

// signACS3 signs a request as Alibaba Cloud's APIs ask for:
// https://www.alibabacloud.com/help/en/sdk/product-overview/v3-request-structure-and-signature.
// The nonce differs from request to request.
func signACS3(req *http.Request, body []byte, keyID, secret string, now time.Time, nonce string) {
	content := sha256.Sum256(body)
	req.Header.Set("X-Acs-Date", now.Format("2006-01-02T15:04:05Z"))
	req.Header.Set("X-Acs-Signature-Nonce", nonce)
	req.Header.Set("X-Acs-Content-Sha256", hex.EncodeToString(content[:]))
	host := req.Host
	if host == "" {
		host = req.URL.Host
	}
	signed := map[string]string{"host": host}
	for name := range req.Header {
		if lower := strings.ToLower(name); strings.HasPrefix(lower, "x-acs-") {
			signed[lower] = strings.TrimSpace(req.Header.Get(name))
		}
	}
	var names []string
	for name := range signed {
		names = append(names, name)
	}
	slices.Sort(names)
	var headers strings.Builder
	for _, name := range names {
		headers.WriteString(name + ":" + signed[name] + "\n")
	}
	path := req.URL.EscapedPath()
	if path == "" {
		path = "/"
	}
	canonical := sha256.Sum256([]byte(strings.Join([]string{
		req.Method, path, canonicalQuery(req.URL.Query()), headers.String(), strings.Join(names, ";"), hex.EncodeToString(content[:]),
	}, "\n")))
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(acs3 + "\n" + hex.EncodeToString(canonical[:])))
	req.Header.Set("Authorization", acs3+" Credential="+keyID+",SignedHeaders="+strings.Join(names, ";")+
		",Signature="+hex.EncodeToString(mac.Sum(nil)))
}

// canonicalQuery is a query in order, escaped as RFC 3986 has it.
func canonicalQuery(query url.Values) string {
	return strings.ReplaceAll(query.Encode(), "+", "%20")
}

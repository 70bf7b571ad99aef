package smsgateway

import (
	"cmp"
	"crypto/hmac"
	"crypto/sha1" //nolint:gosec // Twilio's choice; as a MAC it is not broken
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"hash"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/holdline/holdline/internal/claim"
)

// Each open function below proves a request with its provider's secret and
// returns what the proof covers, and nothing else. What comes again changes
// nothing, so that bounds on a proof's age need not be tight.
const (
	vonageAge = 10 * time.Minute
	// birdAge: Bird repeats a failed delivery for a day with the first time stamp.
	birdAge   = 25 * time.Hour
	clockSkew = time.Minute
)

// openShared accepts a secret that is sent along: X-Receipt-Secret,
// Authorization: Bearer, or the query parameter secret.
func openShared(secret string, r receiptRequest) (fields, error) {
	given := cmp.Or(r.header.Get("X-Receipt-Secret"), bearer(r.header), r.query.Get("secret"))
	want, got := sha256.Sum256([]byte(secret)), sha256.Sum256([]byte(given))
	if subtle.ConstantTimeCompare(want[:], got[:]) != 1 {
		return nil, claim.ErrReceiptUnproven
	}
	return r.allFields()
}

// bearer returns the token of that scheme; blank for another, or none.
func bearer(h http.Header) string {
	scheme, token, _ := strings.Cut(h.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return ""
	}
	return strings.TrimSpace(token)
}

// openTwilio checks X-Twilio-Signature (Twilio, "Webhooks security"): HMAC-SHA1,
// in base64, of the URL and the form's names and values, sorted. Whether the URL
// has the scheme's usual port in it differs at Twilio, so both are right.
func openTwilio(token string, r receiptRequest) (fields, error) {
	form, err := url.ParseQuery(string(r.body))
	if err != nil {
		return nil, claim.ErrReceiptUnproven
	}
	var values strings.Builder
	for _, name := range slices.Sorted(maps.Keys(form)) {
		for _, value := range form[name] {
			values.WriteString(name + value)
		}
	}
	given, err := base64.StdEncoding.DecodeString(r.header.Get("X-Twilio-Signature"))
	for _, called := range []string{r.url, otherPort(r.url)} {
		if err == nil && hmac.Equal(given, mac(sha1.New, token, called+values.String())) {
			read := fields{}
			read.add(form)
			read.add(r.query)
			return read, nil
		}
	}
	return nil, claim.ErrReceiptUnproven
}

// otherPort adds the scheme's usual port to a URL, or takes a port away.
func otherPort(called string) string {
	u, err := url.Parse(called)
	if err != nil {
		return called
	}
	switch {
	case u.Port() != "":
		u.Host = strings.TrimSuffix(u.Host, ":"+u.Port())
	case u.Scheme == "https":
		u.Host += ":443"
	default:
		u.Host += ":80"
	}
	return u.String()
}

// openVonage checks a signed webhook's token or, where there is none, the
// parameter sig of the SMS API.
func openVonage(secret string, r receiptRequest) (fields, error) {
	if token := bearer(r.header); token != "" {
		return openVonageToken(secret, token, r)
	}
	return openVonageSig(secret, r)
}

// openVonageToken checks a JWT (Vonage, "Signed webhooks"). It covers the body
// by a hash, and not the query.
func openVonageToken(secret, token string, r receiptRequest) (fields, error) {
	var said struct {
		jwt.RegisteredClaims
		PayloadHash string `json:"payload_hash"`
	}
	parser := jwt.NewParser(jwt.WithValidMethods([]string{"HS256"}), jwt.WithIssuer("Vonage"),
		jwt.WithIssuedAt(), jwt.WithLeeway(clockSkew), jwt.WithTimeFunc(func() time.Time { return r.now }))
	_, err := parser.ParseWithClaims(token, &said, func(*jwt.Token) (any, error) { return []byte(secret), nil })
	if err != nil || said.IssuedAt == nil || r.now.Sub(said.IssuedAt.Time) > vonageAge {
		return nil, claim.ErrReceiptUnproven
	}
	payload := sha256.Sum256(r.body)
	if hashed, err := hex.DecodeString(said.PayloadHash); err != nil || !hmac.Equal(hashed, payload[:]) {
		return nil, claim.ErrReceiptUnproven
	}
	return r.bodyFields()
}

// vonageSafe keeps what is sent from looking like further parameters.
var vonageSafe = strings.NewReplacer("&", "_", "=", "_")

// openVonageSig checks the parameter sig (Vonage, "Signing messages"), of the
// methods there only SHA-256 HMAC: over all other parameters as &name=value,
// sorted, in hexadecimal.
func openVonageSig(secret string, r receiptRequest) (fields, error) {
	read, err := r.allFields()
	if err != nil {
		return nil, claim.ErrReceiptUnproven
	}
	var signed strings.Builder
	covered := fields{}
	for _, name := range slices.Sorted(maps.Keys(read)) {
		if name != "sig" {
			value := read.text(name)
			covered[name] = value
			signed.WriteString("&" + vonageSafe.Replace(name) + "=" + vonageSafe.Replace(value))
		}
	}
	given, err := hex.DecodeString(read.text("sig"))
	if err != nil || !hmac.Equal(given, mac(sha256.New, secret, signed.String())) {
		return nil, claim.ErrReceiptUnproven
	}
	return covered, nil
}

// openBird checks MessageBird-Signature (Bird, "Verifying a webhook
// subscription"): HMAC-SHA256, in base64, of the time, the URL and the body's
// hash, a line each.
func openBird(key string, r receiptRequest) (fields, error) {
	stamp := r.header.Get("MessageBird-Request-Timestamp")
	seconds, err := strconv.ParseInt(stamp, 10, 64)
	age := r.now.Sub(time.Unix(seconds, 0))
	if err != nil || age > birdAge || age < -clockSkew {
		return nil, claim.ErrReceiptUnproven
	}
	body := sha256.Sum256(r.body)
	given, err := base64.StdEncoding.DecodeString(r.header.Get("MessageBird-Signature"))
	if err != nil || !hmac.Equal(given, mac(sha256.New, key, stamp+"\n"+r.url+"\n"+string(body[:]))) {
		return nil, claim.ErrReceiptUnproven
	}
	return r.bodyFields()
}

func mac(newHash func() hash.Hash, key, message string) []byte {
	h := hmac.New(newHash, []byte(key))
	_, _ = io.WriteString(h, message)
	return h.Sum(nil)
}

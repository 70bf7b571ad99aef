package provider

import (
	"cmp"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/holdline/holdline/internal/message"
	"github.com/holdline/holdline/smsgateway"
	"github.com/holdline/holdline/smsgateway/receipt"
)

// vonageAPI is Vonage's (once Nexmo's) SMS API:
// https://developer.vonage.com/en/api/sms. It refuses with 200 and a status in
// the answer: https://developer.vonage.com/en/messaging/sms/guides/troubleshooting-sms.
type vonageAPI struct {
	APIKey, APISecret, From string
	Endpoint                string // https://rest.nexmo.com/sms/json if blank
	Callback                string // URL for receipts; blank for the account's own
}

// vonage proves its receipts by signature_secret. They are those of the SMS API
// ("Delivery receipts") and of the Messages API ("Message status").
var vonage = Type{
	api: func(s Settings, callback string) api {
		return vonageAPI{APIKey: s["api_key"], APISecret: s["api_secret"], From: s["from"], Endpoint: s["endpoint"], Callback: callback}
	},
	Receipts: receipt.Format{
		Open: openVonage, MessageID: []string{"messageId", "message_uuid"}, Status: "status", ErrorCode: "err-code",
	},
	ReceiptSecret: "signature_secret",
}

func (v vonageAPI) request(ctx context.Context, m smsgateway.Message) (*http.Request, error) {
	fields := map[string]any{
		"api_key": v.APIKey, "api_secret": v.APISecret, "from": v.From,
		"to": digits(m), "text": m.Body, "client-ref": m.ID,
	}
	if isUnicode(m) {
		fields["type"] = "unicode"
	}
	if v.Callback != "" {
		fields["callback"] = v.Callback
	}
	return postJSON(ctx, cmp.Or(v.Endpoint, "https://rest.nexmo.com/sms/json"), fields)
}

func (v vonageAPI) parseAnswer(_ context.Context, a answer) (string, error) {
	if err := a.byStatus(); err != nil {
		return "", err
	}
	if err := vonageFailure(a); err != nil {
		return "", err
	}
	return a.acceptedID("messages.0.message-id")
}

// vonageFailure finds a part of the text that was not taken.
func vonageFailure(a answer) error {
	for i := 0; ; i++ {
		switch status := a.field(fmt.Sprintf("messages.%d.status", i)); status {
		case "":
			return nil
		case "0":
		case "1", "5", "10": // throttled, internal error, too many binds
			return a.classify(transient, "the provider answers status "+status)
		case "2", "4", "8", "9", "11", "14", "23", "32": // parameters, credentials, barred, no credit, no access, signature, callback
			return a.classify(refusesAccount, "the provider answers status "+status)
		case "3", "6", "7", "12", "15", "22", "29", "33": // invalid, unroutable, barred, too long, sender, network, not allowed, deactivated
			return a.classify(refusesMessage, "the provider answers status "+status)
		default:
			return a.classify(refusesMessage, "the provider answers a status that is not known")
		}
	}
}

// account is the balance:
// https://developer.vonage.com/en/account/code-snippets/account-balance.
func (v vonageAPI) account(ctx context.Context) (*http.Request, error) {
	req, err := besideEndpoint(ctx, v.Endpoint, "https://rest.nexmo.com", "/account/get-balance")
	if err == nil {
		req.SetBasicAuth(v.APIKey, v.APISecret)
	}
	return req, err
}

// vonageAge is how old a receipt's proof may be, and clockSkew how far ahead.
const (
	vonageAge = 10 * time.Minute
	clockSkew = time.Minute
)

// openVonage checks a signed webhook's token or, where there is none, the
// parameter sig of the SMS API.
func openVonage(secret string, r receipt.Request) (receipt.Fields, error) {
	if token := r.Bearer(); token != "" {
		return openVonageToken(secret, token, r)
	}
	return openVonageSig(secret, r)
}

// openVonageToken checks a JWT (Vonage, "Signed webhooks"). It covers the body
// by a hash, and not the query.
func openVonageToken(secret, token string, r receipt.Request) (receipt.Fields, error) {
	var said struct {
		jwt.RegisteredClaims
		PayloadHash string `json:"payload_hash"`
	}
	parser := jwt.NewParser(jwt.WithValidMethods([]string{"HS256"}), jwt.WithIssuer("Vonage"),
		jwt.WithIssuedAt(), jwt.WithLeeway(clockSkew), jwt.WithTimeFunc(func() time.Time { return r.Now }))
	_, err := parser.ParseWithClaims(token, &said, func(*jwt.Token) (any, error) { return []byte(secret), nil })
	if err != nil || said.IssuedAt == nil || r.Now.Sub(said.IssuedAt.Time) > vonageAge {
		return nil, message.ErrReceiptUnproven
	}
	payload := sha256.Sum256(r.Body)
	if hashed, err := hex.DecodeString(said.PayloadHash); err != nil || !hmac.Equal(hashed, payload[:]) {
		return nil, message.ErrReceiptUnproven
	}
	return r.BodyFields()
}

// vonageSafe keeps what is sent from looking like further parameters.
var vonageSafe = strings.NewReplacer("&", "_", "=", "_")

// openVonageSig checks the parameter sig (Vonage, "Signing messages"), of the
// methods there only SHA-256 HMAC: over all other parameters as &name=value,
// sorted, in hexadecimal.
func openVonageSig(secret string, r receipt.Request) (receipt.Fields, error) {
	read, err := r.AllFields()
	if err != nil {
		return nil, message.ErrReceiptUnproven
	}
	var signed strings.Builder
	covered := receipt.Fields{}
	for _, name := range slices.Sorted(maps.Keys(read)) {
		if name != "sig" {
			value := read.Text(name)
			covered[name] = value
			signed.WriteString("&" + vonageSafe.Replace(name) + "=" + vonageSafe.Replace(value))
		}
	}
	given, err := hex.DecodeString(read.Text("sig"))
	if err != nil || !hmac.Equal(given, receipt.MAC(sha256.New, secret, signed.String())) {
		return nil, message.ErrReceiptUnproven
	}
	return covered, nil
}

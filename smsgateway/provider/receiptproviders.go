package provider

import (
	"crypto/hmac"
	"errors"
	"fmt"
	"hash"
	"io"

	"github.com/holdline/holdline/smsgateway/receipt"
)

// receiptFormats are known by the type of their gateway.
var receiptFormats = map[string]receipt.Format{
	"twilio": twilioReceipts, "vonage": vonageReceipts, "messagebird": messageBirdReceipts, "bird": birdReceipts,
	"sinch": sinchReceipts, "kannel": kannelReceipts, "http": anyReceipts,
}

// NewReceiptReader returns a reader for a type of gateway: twilio, vonage,
// messagebird, bird, sinch, kannel or http. The secret is what its provider
// signs with (Twilio: the auth token; Vonage: the signature secret; Bird: the
// webhook's signing key), or else the one that the receipts carry.
func NewReceiptReader(gatewayType, secret string) (receipt.Reader, error) {
	format, known := receiptFormats[gatewayType]
	if !known {
		return receipt.Reader{}, fmt.Errorf("gateways of type %q give no receipts", gatewayType)
	}
	if secret == "" {
		return receipt.Reader{}, errors.New("receipts need a secret")
	}
	return receipt.Reader{Format: format, Secret: secret}, nil
}

func mac(newHash func() hash.Hash, key, msg string) []byte {
	h := hmac.New(newHash, []byte(key))
	_, _ = io.WriteString(h, msg)
	return h.Sum(nil)
}

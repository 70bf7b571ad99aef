package smsgateway

import (
	"crypto/hmac"
	"errors"
	"fmt"
	"hash"
	"io"
)

// receiptFormats are known by the type of their gateway.
var receiptFormats = map[string]Format{
	"twilio": twilioReceipts, "vonage": vonageReceipts, "messagebird": messageBirdReceipts, "bird": birdReceipts,
	"sinch": sinchReceipts, "kannel": kannelReceipts, "http": anyReceipts,
}

// NewReceiptReader returns a reader for a type of gateway: twilio, vonage,
// messagebird, bird, sinch, kannel or http. The secret is what its provider
// signs with (Twilio: the auth token; Vonage: the signature secret; Bird: the
// webhook's signing key), or else the one that the receipts carry.
func NewReceiptReader(gatewayType, secret string) (Reader, error) {
	format, known := receiptFormats[gatewayType]
	if !known {
		return Reader{}, fmt.Errorf("gateways of type %q give no receipts", gatewayType)
	}
	if secret == "" {
		return Reader{}, errors.New("receipts need a secret")
	}
	return Reader{Format: format, Secret: secret}, nil
}

func mac(newHash func() hash.Hash, key, msg string) []byte {
	h := hmac.New(newHash, []byte(key))
	_, _ = io.WriteString(h, msg)
	return h.Sum(nil)
}

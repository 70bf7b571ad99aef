// Package kratostest makes the one-time passwords (TOTP, RFC 6238) of people who have a
// second factor at Kratos, for tests.
package kratostest

import (
	"crypto/hmac"
	"crypto/sha1" //nolint:gosec // what authenticators use (RFC 6238, section 1.2)
	"encoding/base32"
	"encoding/binary"
	"fmt"
	"testing"
	"time"
)

// TOTP is the code that an authenticator with a secret shows at a time (RFC 6238).
func TOTP(tb testing.TB, secret string, now time.Time) string {
	tb.Helper()
	key, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(secret)
	if err != nil {
		tb.Fatal(err)
	}
	mac := hmac.New(sha1.New, key)
	mac.Write(binary.BigEndian.AppendUint64(nil, uint64(now.Unix()/30))) //nolint:gosec // no time before 1970
	sum := mac.Sum(nil)
	at := sum[len(sum)-1] & 15
	return fmt.Sprintf("%06d", (binary.BigEndian.Uint32(sum[at:])&0x7fffffff)%1_000_000)
}

package kratostest_test

import (
	"encoding/base32"
	"testing"
	"time"

	"github.com/holdline/holdline/internal/kratostest"
)

// The vectors are those of RFC 6238, appendix B, in six digits.
func TestCodesAreThoseOfTheStandard(t *testing.T) {
	secret := base32.StdEncoding.EncodeToString([]byte("12345678901234567890"))
	for at, want := range map[int64]string{59: "287082", 1111111109: "081804", 1111111111: "050471", 1234567890: "005924", 2000000000: "279037", 20000000000: "353130"} {
		if got := kratostest.TOTP(t, secret, time.Unix(at, 0)); got != want {
			t.Errorf("at %d: got %s, want %s", at, got, want)
		}
	}
}

package console

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"slices"

	"github.com/gin-gonic/gin"
)

// formToken is the hidden token of forms: it shows that a form was made for this
// session, or before the sign-in for this browser. The name keeps the two apart.
func (s *console) formToken(name, secret string) string {
	return formProof(s.CSRFKeys[0], name, secret)
}

func formProof(key []byte, name, secret string) string {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(name + "\x00" + secret))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// matches compares in constant time.
func (s *console) matches(name, secret, token string) bool {
	return secret != "" && slices.ContainsFunc(s.CSRFKeys, func(key []byte) bool {
		return hmac.Equal([]byte(token), []byte(formProof(key, name, secret)))
	})
}

// genuine lets through forms that were made for this session. Another origin's
// were refused before, by what browsers say; this is for those that say nothing.
func (s *console) genuine(do page) page {
	return func(c *gin.Context, v *visit) error {
		if err := c.Request.ParseForm(); err != nil {
			return errMalformed
		}
		if !s.matches(sessionCookie, v.secret, c.PostForm("csrf")) {
			return errForged
		}
		return do(c, v)
	}
}

package verify

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"slices"
	"strings"
)

// networkCookie begins the names of Ory Network's session cookies.
const networkCookie = "ory_session_"

// forms makes and checks the tokens of forms: proofs that a form was made for
// the session that sends it. The first key makes proofs, all are taken.
type forms struct {
	keys    [][]byte
	cookies []string // the names of Kratos' session cookies
}

// token begins with chance, so that compressed answers do not give it away piece
// by piece.
func (f forms) token(r *http.Request) string {
	salt := rand.Text()
	return salt + "." + f.proof(f.keys[0], r, salt)
}

// good reports whether a token was made for the request's session.
func (f forms) good(r *http.Request, token string) bool {
	salt, proof, ok := strings.Cut(token, ".")
	return ok && salt != "" && slices.ContainsFunc(f.keys, func(key []byte) bool {
		return hmac.Equal([]byte(proof), []byte(f.proof(key, r, salt)))
	})
}

func (f forms) proof(key []byte, r *http.Request, salt string) string {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(salt))
	for _, c := range r.Cookies() {
		if slices.Contains(f.cookies, c.Name) || strings.HasPrefix(c.Name, networkCookie) {
			mac.Write([]byte("\n" + c.Name + "=" + c.Value))
		}
	}
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

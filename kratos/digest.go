package kratos

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"strings"

	"github.com/holdline/holdline/internal/phone"
)

// digest is a keyed hash, which stands in memory and in the limiter for what must
// not.
type digest [sha256.Size]byte

// digest hashes the texts, each with its length, under the hash key.
func (d *Client) digest(texts ...string) digest {
	mac := hmac.New(sha256.New, d.opt.HashKey)
	for _, text := range texts {
		mac.Write(binary.BigEndian.AppendUint64(nil, uint64(len(text))))
		mac.Write([]byte(text))
	}
	return digest(mac.Sum(nil))
}

// loginDigest stands for one user name with one password.
func (d *Client) loginDigest(user, password string) digest {
	return d.digest("login", user, password)
}

// tries names the wrong passwords of a user name: one for every form that Kratos
// looks up as the same identifier, in either case, and a number with or without
// spaces.
func (d *Client) tries(user string) string {
	user = strings.ToLower(strings.TrimSpace(user))
	if number, err := phone.Parse(d.opt.Plan, user); err == nil {
		user = number.Key()
	}
	sum := d.digest("user", user)
	return "login:" + hex.EncodeToString(sum[:])
}

package hook

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"strings"
	"time"

	"github.com/gin-gonic/gin"
)

const (
	// DoctorHeader is what the doctor's calls of hooks carry, made by [DoctorProof].
	DoctorHeader = "X-Holdline-Doctor"
	// DoctorField is the member of log lines about calls of the doctor, always true.
	DoctorField = "doctor"
	// proofTime is how far the clocks of the doctor and of Holdline may be apart.
	proofTime = 2 * time.Minute
)

// doctorKey is where a request keeps that it is the doctor's.
type doctorKey struct{}

// DoctorProof proves that a call of a hook is the doctor's, without showing the hook key
// to whoever answers: a time, and its HMAC-SHA-256.
func DoctorProof(key string, at time.Time) string {
	seconds := strconv.FormatInt(at.Unix(), 10)
	return seconds + "." + hex.EncodeToString(proofOf(key, seconds))
}

func proofOf(key, seconds string) []byte {
	mac := hmac.New(sha256.New, []byte(key))
	mac.Write([]byte("holdline doctor\n" + seconds))
	return mac.Sum(nil)
}

// isDoctor reports whether a request is proven to be the doctor's. That is for the log
// alone: it opens nothing.
func (d realms) isDoctor(c *gin.Context, now time.Time) bool {
	seconds, text, _ := strings.Cut(c.GetHeader(DoctorHeader), ".")
	at, err := strconv.ParseInt(seconds, 10, 64)
	proof, fault := hex.DecodeString(text)
	if err != nil || fault != nil || now.Sub(time.Unix(at, 0)).Abs() > proofTime {
		return false
	}
	for _, h := range d.all {
		for _, key := range []string{h.Key, h.PreviousKey} {
			if key != "" && hmac.Equal(proof, proofOf(key, seconds)) {
				c.Set(doctorKey{}, true)
				return true
			}
		}
	}
	return false
}

// byDoctor reports whether isDoctor found a request to be the doctor's.
func byDoctor(c *gin.Context) bool {
	_, is := c.Get(doctorKey{})
	return is
}

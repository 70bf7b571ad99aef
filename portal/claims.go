package portal

import (
	"encoding/json"
	"math"
	"net/http"
	"strconv"
	"time"

	"github.com/gin-gonic/gin"
)

// holdline is the part of Holdline's user API that owners need.
type holdline struct {
	remote
	base string
}

const userAPI = "/api/identity/user/v1.0/me"

// pending is a claim as its owner may see it.
type pending struct {
	State         string     `json:"state"`
	Number        string     `json:"pendingMobileNumber"` // masked
	ExpiresAt     time.Time  `json:"expiresAt"`
	CodeExpiresAt *time.Time `json:"codeExpiresAt"`
	NextResendAt  *time.Time `json:"nextResendAt"`
	AttemptsLeft  int        `json:"attemptsLeft"`
	Text          string     `json:"text"`
	// Now is the server's time when it answered; zero if it did not say.
	Now time.Time `json:"-"`
}

// in returns the seconds from the answer until a moment, at least 0.
func (p pending) in(moment *time.Time) int {
	if moment == nil || p.Now.IsZero() {
		return 0
	}
	return max(0, int(math.Ceil(moment.Sub(p.Now).Seconds())))
}

// refusal is an answer of Holdline that is not the wanted one.
type refusal struct {
	Status      int    `json:"-"`
	Code        string `json:"code"`
	Description string `json:"description"`
	// Wait is after how many seconds to try again; 0 if that was not said.
	Wait int `json:"-"`
}

func (r *refusal) Error() string { return "portal: holdline refused: " + r.Code }

// claim returns the browser's claim. The error is a *refusal, with status 404
// when there is none.
func (h holdline) claim(c *gin.Context) (pending, error) {
	got, err := h.send(c, http.MethodGet, "/mobile-claim", nil, http.StatusOK)
	if err != nil {
		return pending{}, err
	}
	var p pending
	if err := got.read(&p); err != nil {
		return pending{}, err
	}
	if now, err := http.ParseTime(got.Header.Get("Date")); err == nil {
		p.Now = now
	}
	return p, nil
}

func (h holdline) validate(c *gin.Context, code string) error {
	_, err := h.send(c, http.MethodPost, "/validate-code", map[string]string{"code": code}, http.StatusAccepted)
	return err
}

func (h holdline) resend(c *gin.Context) error {
	type property struct {
		Key   string `json:"key"`
		Value string `json:"value"`
	}
	in := map[string][]property{"properties": {{"RecoveryScenario", "MOBILE_VERIFICATION_ON_UPDATE"}}}
	_, err := h.send(c, http.MethodPost, "/resend-code", in, http.StatusCreated)
	return err
}

func (h holdline) cancel(c *gin.Context) error {
	_, err := h.send(c, http.MethodDelete, "/mobile-claim", nil, http.StatusNoContent)
	return err
}

func (h holdline) send(c *gin.Context, method, path string, in any, want int) (answer, error) {
	got, err := h.call(c, method, h.base+userAPI+path, in)
	if err != nil || got.Status == want {
		return got, err
	}
	refused := &refusal{Status: got.Status}
	if json.Unmarshal(got.Body, refused) != nil || refused.Description == "" {
		refused.Description = "This did not work. Try again in a moment."
	}
	if wait, err := strconv.Atoi(got.Header.Get("Retry-After")); err == nil {
		refused.Wait = wait
	}
	return got, refused
}

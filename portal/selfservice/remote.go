package selfservice

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"
)

const (
	// patience is for one call to a server behind the pages.
	patience = 10 * time.Second
	// maxAnswer bounds what is read of an answer, in bytes.
	maxAnswer = 1 << 20
)

// remote calls the servers behind the pages, on behalf of the browser.
type remote struct{ client *http.Client }

// answer is a server's answer, read whole.
type answer struct {
	Status int
	Body   []byte
}

// get asks with the browser's cookies and language.
func (r remote) get(c *gin.Context, url string) (answer, error) {
	ctx, cancel := context.WithTimeout(c.Request.Context(), patience)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return answer{}, fmt.Errorf("make request: %w", err)
	}
	request.Header.Set("Accept", "application/json")
	for _, name := range []string{"Cookie", "Accept-Language"} {
		if value := c.GetHeader(name); value != "" {
			request.Header.Set(name, value)
		}
	}
	response, err := r.client.Do(request)
	if err != nil {
		return answer{}, fmt.Errorf("call: %w", err)
	}
	defer response.Body.Close()
	raw, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer))
	if err != nil {
		return answer{}, fmt.Errorf("read answer: %w", err)
	}
	return answer{response.StatusCode, raw}, nil
}

// read makes a value of a successful answer.
func (a answer) read(into any) error {
	if a.Status != http.StatusOK {
		return fmt.Errorf("selfservice: unexpected status %d", a.Status)
	}
	if err := json.Unmarshal(a.Body, into); err != nil {
		return fmt.Errorf("read answer: %w", err)
	}
	return nil
}

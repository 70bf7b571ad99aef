package demo

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"
)

// The person that a visitor can be at once. The number is one that ACMA keeps
// for drama.
const (
	personEmail  = "demo@example.org"
	personName   = "Dana Demo"
	personMobile = "+61491570156"
)

const (
	mobileTrait = "mobile"
	pendingKey  = "pendingMobileNumber"
)

// createPerson adds the person, whose number is verified, through Kratos' admin
// API.
func createPerson(ctx context.Context, adminURL, password string) error {
	body, err := json.Marshal(map[string]any{
		"schema_id":   "person",
		"traits":      map[string]string{"email": personEmail, "name": personName, mobileTrait: personMobile},
		"credentials": map[string]any{"password": map[string]any{"config": map[string]string{"password": password}}},
		"verifiable_addresses": []map[string]any{
			{"value": personMobile, "via": "sms", "verified": true, "status": "completed"},
		},
	})
	if err != nil {
		return fmt.Errorf("write identity: %w", err)
	}
	status, answer, err := send(ctx, http.MethodPost, adminURL+"/admin/identities", body)
	if err != nil {
		return fmt.Errorf("create %s: %w", personEmail, err)
	}
	if status != http.StatusCreated {
		return fmt.Errorf("create %s: Kratos answers %d: %s", personEmail, status, answer)
	}
	return nil
}

const (
	// patience is for one call, startTime for a server to become ready.
	patience  = 10 * time.Second
	startTime = 60 * time.Second
	lookAgain = 100 * time.Millisecond
)

var errNotReady = errors.New("not ready in time")

// await waits until a server says that it is ready.
func await(ctx context.Context, name, base string) error {
	ctx, cancel := context.WithTimeoutCause(ctx, startTime, fmt.Errorf("%s is %w", name, errNotReady))
	defer cancel()
	ticker := time.NewTicker(lookAgain)
	defer ticker.Stop()
	for {
		if status, _, err := send(ctx, http.MethodGet, base+"/health/ready", nil); err == nil && status == http.StatusOK {
			return nil
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-ticker.C:
		}
	}
}

// send makes a call and returns the answer's status and beginning.
func send(ctx context.Context, method, url string, body []byte) (int, string, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, method, url, bytes.NewReader(body))
	if err != nil {
		return 0, "", err
	}
	if body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, "", err
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(response.Body, 1<<10))
	return response.StatusCode, string(answer), err
}

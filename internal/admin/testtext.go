package admin

import (
	"context"
	"slices"
	"time"

	"github.com/holdline/holdline/internal/audit"
	"github.com/holdline/holdline/internal/phone"
	"github.com/holdline/holdline/internal/ratelimit"
)

// TestTextSent is what the audit trail says of a text that an administrator tried a gateway with.
const TestTextSent = "test_text"

// GatewayError is what a gateway answered to a test text; nothing of it is secret.
type GatewayError struct{ Reason error }

func (e *GatewayError) Error() string { return e.Reason.Error() }

// Unwrap returns the reason.
func (e *GatewayError) Unwrap() error { return e.Reason }

// TestTexts sends texts that try a gateway.
type TestTexts struct {
	// Send sends a text with a code that nobody takes by one gateway, and returns the provider's id.
	Send func(ctx context.Context, gateway string, to phone.Number) (providerID string, err error)
	// Limiter bounds how many an administrator sends.
	Limiter ratelimit.Limiter
}

// testTexts is how many texts one administrator may try gateways with, and allTestTexts how many
// all of them may: who may make tokens has as many names as they like.
var (
	testTexts    = ratelimit.Limit{Most: 10, Window: time.Hour}
	allTestTexts = ratelimit.Limit{Most: 30, Window: time.Hour}
)

// SendTest sends a text by one gateway, once the audit trail has noted who did it. Errors:
// ErrNoGateway, ErrBadNumber, ErrNumberNotServed, ErrTooManyTries with its end, and a *GatewayError.
func (d *Service) SendTest(ctx context.Context, gateway, number string, who audit.Actor) (providerID string, err error) {
	if !slices.ContainsFunc(d.Gateways(), func(g Gateway) bool { return g.ID == gateway }) {
		return "", ErrNoGateway
	}
	to, err := phone.Parse(d.Plan, number)
	if err != nil {
		return "", err
	}
	if err := d.Coverage().Check(to); err != nil {
		return "", err
	}
	now := d.Now()
	if err := d.Tests.Limiter.Take(ctx, "test texts of "+who.ID, testTexts, now); err != nil {
		return "", err
	}
	if err := d.Tests.Limiter.Take(ctx, "test texts", allTestTexts, now); err != nil {
		return "", err
	}
	line := audit.Event{Kind: TestTextSent, Actor: who, Number: to.String(), Reason: gateway, At: now}
	if err := d.Store.RecordEvent(ctx, line); err != nil {
		return "", err
	}
	providerID, err = d.Tests.Send(ctx, gateway, to)
	if err != nil {
		return "", &GatewayError{err}
	}
	return providerID, nil
}

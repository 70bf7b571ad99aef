package provider

import (
	"context"
	"errors"
	"time"

	"github.com/holdline/holdline/smsgateway"
)

// untilUnderstood sends a message, and once more if nobody can tell what the provider
// answered: with the same id and the same code, after half of the time that ctx
// leaves. Only when that time is over it gives up, so that no other gateway is
// asked before.
func untilUnderstood(ctx context.Context, send func(context.Context) (string, error)) (string, error) {
	id, err := send(ctx)
	if !errors.Is(err, smsgateway.ErrUnsure) {
		return id, err
	}
	until, limited := ctx.Deadline()
	if !limited {
		return "", err
	}
	pause := time.NewTimer(time.Until(until) / 2)
	defer pause.Stop()
	select {
	case <-ctx.Done():
		return "", err
	case <-pause.C:
	}
	if id, again := send(ctx); again == nil {
		return id, nil
	}
	<-ctx.Done()
	return "", err
}

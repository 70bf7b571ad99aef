package kratos

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"

	kratos "github.com/ory/kratos-client-go"

	"github.com/holdline/holdline/internal/claim"
	"github.com/holdline/holdline/internal/problem"
)

// refusals say what Kratos means by a status. Every other one is an outage.
type refusals map[int]error

// fetch makes one request, in its time, and reads the answer into a T. The
// client has put the answer's body in memory by the time it returns.
func fetch[T any](
	ctx context.Context, d *Client, operation string, meaning refusals,
	ask func(context.Context) (*http.Response, error),
) (answer T, err error) {
	ctx, ended := d.opt.Observe(ctx, operation)
	defer func() { ended(err) }()
	bounded, cancel := context.WithTimeout(ctx, d.opt.Timeout)
	defer cancel()
	resp, err := ask(bounded)
	if resp != nil {
		defer resp.Body.Close()
	}
	if resp == nil || !whole(err) {
		return answer, fmt.Errorf("%s: %w: %w", operation, claim.ErrIdentitiesUnavailable, cause(ctx, err))
	}
	body, err := io.ReadAll(resp.Body)
	switch {
	case err != nil:
		return answer, fmt.Errorf("%s: %w: %w", operation, claim.ErrIdentitiesUnavailable, cause(ctx, err))
	case resp.StatusCode < 200 || resp.StatusCode > 299:
		return answer, fmt.Errorf("%s: %w: status %d", operation, meaning.of(resp.StatusCode, body), resp.StatusCode)
	case resp.StatusCode == http.StatusNoContent:
		return answer, nil
	}
	if json.Unmarshal(body, &answer) != nil {
		return answer, malformed(operation)
	}
	return answer, nil
}

// malformed is the error for an answer that makes no sense.
func malformed(operation string) error {
	return fmt.Errorf("%s: %w: malformed answer", operation, claim.ErrIdentitiesUnavailable)
}

// of returns the meaning of a status if Kratos itself wrote the body: an error
// that repeats the status, or a self-service form
// (https://www.ory.sh/docs/kratos/concepts/ui-messages).
func (r refusals) of(status int, body []byte) error {
	var refusal struct {
		Error struct {
			Code    int    `json:"code"`
			Reason  string `json:"reason"`
			Message string `json:"message"`
		} `json:"error"`
		UI *json.RawMessage `json:"ui"`
	}
	meaning, known := r[status]
	if !known && (status == http.StatusUnauthorized || status == http.StatusForbidden) {
		return errNotLetIn
	}
	if !known || json.Unmarshal(body, &refusal) != nil || (refusal.Error.Code != status && refusal.UI == nil) {
		return claim.ErrIdentitiesUnavailable
	}
	if explain := explained(nil); errors.As(meaning, &explain) {
		return explain(refusal.Error.Reason, refusal.Error.Message)
	}
	return meaning
}

// errNotLetIn is what stands before Kratos and wants a credential that Holdline has not:
// Kratos' own admin API asks for none. Whoever tries again later does so here too.
var errNotLetIn = problem.Misconfigured(claim.ErrIdentitiesUnavailable,
	"what stands before kratos.admin_url and kratos.public_url must let Holdline in")

// whole reports whether the client read the whole answer; that it makes no sense of it
// is what [capped] is for.
func whole(err error) bool {
	var unread *kratos.GenericOpenAPIError
	return err == nil || errors.As(err, &unread)
}

var (
	errTimeout = errors.New("timed out")
	errTooLong = errors.New("answer too long")
	errBroken  = errors.New("no whole answer")
)

// cause returns what may be said of a failure: no URL, and nothing that came
// over the wire.
func cause(ctx context.Context, err error) error {
	var (
		dial    *net.OpError
		tooLong *http.MaxBytesError
	)
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.Is(err, context.DeadlineExceeded):
		return errTimeout
	case errors.As(err, &tooLong):
		return errTooLong
	case errors.As(err, &dial):
		return dial
	default:
		return errBroken
	}
}

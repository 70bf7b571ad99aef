package api_test

import (
	"context"
	"encoding/json"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/gin-gonic/gin"

	"github.com/holdline/holdline/hook"
	"github.com/holdline/holdline/internal/claim"
	"github.com/holdline/holdline/internal/phone"
	"github.com/holdline/holdline/internal/problem"
	"github.com/holdline/holdline/internal/ratelimit"
	"github.com/holdline/holdline/internal/web"
)

const hookKey = "a-hook-key-of-some-length"

// rulings rule as they are told.
type rulings struct {
	answer claim.Answer
	err    error
}

func (r *rulings) Stage(context.Context, claim.SettingsChange) (claim.Answer, error) {
	if r.err == errOdd { //nolint:errorlint // it is given as it is
		panic("odd")
	}
	return r.answer, r.err
}

func (r *rulings) Activate(context.Context, claim.StoredFlow) error { return r.err }

// trials do as they are told.
type trials struct{ err error }

func (r *trials) BeginTrial(ctx context.Context, id string) (claim.Trial, error) {
	return r.Trial(ctx, id)
}

func (r *trials) Trial(_ context.Context, id string) (claim.Trial, error) {
	if r.err == errOdd { //nolint:errorlint // it is given as it is
		panic("odd")
	}
	return claim.Trial{IdentityID: id, Expires: noon, Staged: 1, Held: true}, r.err
}

func (r *trials) EndTrial(ctx context.Context, id string) error {
	_, err := r.Trial(ctx, id)
	return err
}

func TestTheHooksAnswerAsDocumented(t *testing.T) {
	book, rule, tried := newBook(t), &rulings{}, &trials{}
	engine := newEngine(t, func(engine *gin.Engine, server *web.Server) {
		hook.Mount(engine, server, rule, hook.Options{
			Key: hookKey, MobileTrait: "mobile", PendingKey: "pendingMobileNumber", Log: server.Log,
			Documents: func(context.Context, string) (hook.Documents, error) {
				return hook.Documents{Traits: json.RawMessage(`{"age":12345678901234567890}`)}, nil
			},
			Changed: func(context.Context, string) error { return rule.err },
			Trials:  tried,
		})
	})
	ask := func(want int, path, body string, headers ...string) {
		t.Helper()
		headers = append(headers, "X-Hook-Key", hookKey)
		if len(headers) == 2 {
			headers = append(headers, "Content-Type", "application/json")
		}
		if got := book.ask(t, engine, http.MethodPost, path, body, headers...); got.Code != want {
			t.Errorf("%s: got %d %s, want %d", path, got.Code, got.Body, want)
		}
	}
	file := func(name string) string {
		body, err := os.ReadFile("../hook/testdata/" + name)
		if err != nil {
			t.Fatal(err)
		}
		return string(body)
	}
	stage := file("stage-request.json")
	pending := phone.FromStore("+15550100")
	for _, rule.answer = range []claim.Answer{{Decision: claim.NoChange}, {Decision: claim.Challenge, Pending: pending}, {Decision: claim.WriteDirectly}, {Decision: claim.Remove}} {
		ask(200, hook.StagePath, stage)
	}
	rule.answer = claim.Answer{Decision: claim.Challenge, Pending: pending, Interrupt: true}
	ask(400, hook.StagePath, stage)
	for _, rule.err = range []error{
		phone.ErrBadNumber, claim.ErrRemovalDenied, phone.ErrNumberNotServed, claim.ErrSessionTooOld, claim.ErrBeingApplied,
		limit(claim.ErrTooManyTexts), problem.ErrStoreUnavailable, claim.ErrIdentitiesUnavailable,
	} {
		ask(400, hook.StagePath, stage)
	}
	ask(400, hook.StagePath, `{}`)
	for path, body := range map[string]string{hook.ActivatePath: file("activate-request.json"), hook.ChangedPath: `{"identity_id":"` + bob + `"}`} {
		for err, want := range map[error]int{nil: 204, errOdd: 500, problem.ErrStoreUnavailable: 503, claim.ErrIdentitiesUnavailable: 503} {
			rule.err = err
			ask(want, path, body)
		}
		rule.err = nil
		ask(400, path, `{}`)
		ask(413, path, `{"identity_id":"`+strings.Repeat("x", web.MaxBody)+`"}`)
		ask(415, path, body, "Content-Type", "text/plain")
	}
	rule.err = errOdd
	ask(500, hook.StagePath, stage)
	for _, path := range []string{hook.StagePath, hook.ActivatePath, hook.ChangedPath} {
		if got := book.ask(t, engine, http.MethodPost, path, `{}`, "Content-Type", "application/json"); got.Code != http.StatusUnauthorized {
			t.Errorf("without the key: got %d %s", got.Code, got.Body)
		}
	}
	try := func(want int, method, id string, headers ...string) {
		t.Helper()
		if got := book.ask(t, engine, method, hook.TrialPath+"/"+id, "", headers...); got.Code != want {
			t.Errorf("%s: got %d %s, want %d", method, got.Code, got.Body, want)
		}
	}
	for method, answers := range map[string]map[error]int{
		http.MethodPut:    {nil: 200, limit(ratelimit.ErrTooManyTries): 429, errOdd: 500, problem.ErrStoreUnavailable: 503},
		http.MethodGet:    {nil: 200, claim.ErrNoIdentity: 404, errOdd: 500, problem.ErrStoreUnavailable: 503},
		http.MethodDelete: {nil: 204, errOdd: 500, problem.ErrStoreUnavailable: 503, claim.ErrIdentitiesUnavailable: 503},
	} {
		for err, want := range answers {
			tried.err = err
			try(want, method, bob, "X-Hook-Key", hookKey)
		}
		tried.err = nil
		try(400, method, strings.Repeat("x", 65), "X-Hook-Key", hookKey)
		try(401, method, bob)
	}
	book.complete(t, "/hooks/")
}

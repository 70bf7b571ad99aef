package hook_test

import (
	"bytes"
	"context"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/holdline/holdline/hook"
	"github.com/holdline/holdline/internal/claim"
)

func TestAChangedIdentityIsTold(t *testing.T) {
	for name, tt := range map[string]struct {
		key, body string
		err       error
		status    int
		told      []string
	}{
		"a change":        {key, `{"identity_id":"i"}`, nil, http.StatusNoContent, []string{"i"}},
		"more than asked": {key, `{"identity_id":"i","flow_id":"f"}`, nil, http.StatusNoContent, []string{"i"}},
		"wrong key":       {"wrong", `{"identity_id":"i"}`, nil, http.StatusUnauthorized, nil},
		"no key":          {"", `{"identity_id":"i"}`, nil, http.StatusUnauthorized, nil},
		"nobody":          {key, `{}`, nil, http.StatusBadRequest, nil},
		"no text":         {key, `{"identity_id":1}`, nil, http.StatusBadRequest, nil},
		"not JSON":        {key, `identity`, nil, http.StatusBadRequest, nil},
		"Kratos is away":  {key, `{"identity_id":"i"}`, claim.ErrIdentitiesUnavailable, http.StatusServiceUnavailable, []string{"i"}},
		"no identity":     {key, `{"identity_id":"i"}`, claim.ErrNoIdentity, http.StatusNotFound, []string{"i"}},
	} {
		t.Run(name, func(t *testing.T) {
			var told []string
			var log bytes.Buffer
			handler := mounted(t, &rulings{}, slog.New(slog.NewTextHandler(&log, nil)), func(_ context.Context, id string) error {
				told = append(told, id)
				return tt.err
			})
			got := post(t, handler, hook.ChangedPath, tt.key, tt.body)
			if got.Code != tt.status || !slices.Equal(told, tt.told) {
				t.Errorf("status %d, told %v", got.Code, told)
			}
			if warned := strings.Count(log.String(), "level=WARN"); warned != 1 && tt.err != nil || warned != 0 && tt.err == nil {
				t.Errorf("logged %s", log.String())
			}
			if strings.Contains(log.String(), "level=ERROR") {
				t.Errorf("logged twice: %s", log.String())
			}
		})
	}
}

func TestWithoutAListenerAChangeIsNoFault(t *testing.T) {
	handler := serve(t, &rulings{})
	if got := post(t, handler, hook.ChangedPath, key, `{"identity_id":"i"}`); got.Code != http.StatusNoContent || got.Body.Len() != 0 {
		t.Errorf("got %d %s", got.Code, got.Body)
	}
	if got := post(t, handler, hook.ChangedPath, key, `{}`); got.Code != http.StatusBadRequest {
		t.Errorf("malformed: got %d", got.Code)
	}
}

package cursor_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/holdline/holdline/internal/scim"
	"github.com/holdline/holdline/internal/scim/cursor"
)

var noon = time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)

func ring(t *testing.T, secrets ...string) *cursor.Ring {
	t.Helper()
	r, err := cursor.New(secrets)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestACursorIsOpenedByWhoSealedItForTheSameListInTime(t *testing.T) {
	old, now := ring(t, "the old secret"), ring(t, "the new secret", "the old secret")
	text, err := old.Seal("position", noon, "/Users", "a filter", "okta")
	if err != nil {
		t.Fatal(err)
	}
	if strings.Trim(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~") != "" {
		t.Errorf("%q has reserved characters", text)
	}
	for name, tt := range map[string]struct {
		ring  *cursor.Ring
		text  string
		after time.Duration
		list  []string
		kind  scim.Keyword
	}{
		"the same":              {old, text, time.Hour, []string{"/Users", "a filter", "okta"}, ""},
		"with a new key":        {now, text, 0, []string{"/Users", "a filter", "okta"}, ""},
		"too late":              {now, text, time.Hour + time.Second, []string{"/Users", "a filter", "okta"}, scim.ExpiredCursor},
		"another list":          {old, text, 0, []string{"/Groups", "a filter", "okta"}, scim.InvalidCursor},
		"another filter":        {old, text, 0, []string{"/Users", "filter", "okta"}, scim.InvalidCursor},
		"another reader":        {old, text, 0, []string{"/Users", "a filter", "entra"}, scim.InvalidCursor},
		"parts put otherwise":   {old, text, 0, []string{"/Users", "a filterokta"}, scim.InvalidCursor},
		"another key":           {ring(t, "a secret"), text, 0, []string{"/Users", "a filter", "okta"}, scim.InvalidCursor},
		"nothing":               {old, "", 0, nil, scim.InvalidCursor},
		"a word":                {old, "VZUTiyhEQJ94IR", 0, nil, scim.InvalidCursor},
		"no base64":             {old, "%%%", 0, nil, scim.InvalidCursor},
		"too long":              {old, strings.Repeat("A", 4096), 0, nil, scim.InvalidCursor},
		"with something behind": {old, text + "AAAA", 0, []string{"/Users", "a filter", "okta"}, scim.InvalidCursor},
	} {
		position, err := tt.ring.Open(tt.text, noon.Add(tt.after), time.Hour, tt.list...)
		var fault *scim.Error
		switch errors.As(err, &fault); {
		case tt.kind == "" && (position != "position" || err != nil):
			t.Errorf("%s: got %q, %v", name, position, err)
		case tt.kind != "" && (fault == nil || fault.ScimType != tt.kind || fault.Status != 400):
			t.Errorf("%s: got %q, %v, want %s", name, position, err, tt.kind)
		}
	}
	for i := range len(text) {
		changed := text[:i] + string("AB"[boolIndex(text[i] == 'A')]) + text[i+1:]
		if _, err := old.Open(changed, noon, time.Hour, "/Users", "a filter", "okta"); err == nil && i < len(text)-1 {
			t.Errorf("a cursor whose character %d was changed is opened", i)
		}
	}
}

func boolIndex(b bool) int {
	if b {
		return 1
	}
	return 0
}

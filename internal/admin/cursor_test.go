package admin_test

import (
	"testing"
	"time"

	"github.com/holdline/holdline/internal/admin"
)

func TestACursorReadsBackAsItWasWritten(t *testing.T) {
	for _, want := range []admin.Cursor{
		{},
		{At: time.Date(2026, 11, 1, 12, 0, 0, 123456000, time.UTC), ID: "a.b c"},
		{At: time.Date(1969, 7, 20, 20, 17, 40, 0, time.UTC), ID: "before"},
	} {
		if got, ok := admin.ParseCursor(want.String()); !ok || got != want {
			t.Errorf("%+v becomes %+v, %v", want, got, ok)
		}
	}
	for _, text := range []string{"x", "1", ".id", "1x.id", "99999999999999999999.id"} {
		if got, ok := admin.ParseCursor(text); ok {
			t.Errorf("%q becomes %+v", text, got)
		}
	}
}

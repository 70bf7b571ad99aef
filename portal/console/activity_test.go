package console_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/holdline/holdline/internal/problem"
	"github.com/holdline/holdline/internal/statistics"
)

func TestChangesAreDrawnOverTime(t *testing.T) {
	w := newWorld(t)
	now := w.Now().Truncate(time.Hour)
	german, finnish := statistics.CallingCode("49"), statistics.CallingCode("358")
	w.statistics.Put(
		statistics.Hour{Start: now, Subject: german, Counts: statistics.Counts{Requested: 10, Confirmed: 6, Failed: 2, Wrong: 7}},
		statistics.Hour{Start: now, Subject: statistics.Gateway("vonage"), Counts: statistics.Counts{Sent: 99}},
		statistics.Hour{Start: now.Add(-3 * time.Hour), Subject: finnish, Counts: statistics.Counts{Requested: 4, Confirmed: 4}},
		statistics.Hour{Start: now.Add(-20 * 24 * time.Hour), Subject: german, Counts: statistics.Counts{Requested: 100, Withdrawn: 16}},
	)
	b := w.administrator()
	for span, want := range map[string][]string{
		"24h": {"Requested 14 Confirmed 10 Failed 2 Wrong codes 7", "+49 Germany 10 6 60 % 2 0 7", "+358 Finland and 1 more 4 4 100 % 0 0 0"},
		"7d":  {"Requested 14 Confirmed 10"},
		"30d": {"Requested 114 Confirmed 10", "+49 Germany 110 6 5 % 2 16 7"},
		"90d": {"Requested 114"},
	} {
		got := b.get("/console/activity?span=" + span)
		says(t, got, http.StatusOK, `<svg class="chart"`, `role="img"`)
		words := visible(got.Body.String())
		for _, part := range want {
			if !strings.Contains(words, part) {
				t.Errorf("%s: %q is missing in %s", span, part, words)
			}
		}
	}
	got := b.get("/console/activity?span=24h&code=358")
	says(t, got, http.StatusOK, "Requested</h2><p class=\"figure\">4<", "all countries", "24 Nov 09:00: 4 requested, 4 confirmed, 0 failed, 0 withdrawn")
	// The highest bar fills the chart, and each part stands on the one before.
	got = b.get("/console/activity")
	says(t, got, http.StatusOK, `<rect class="good" x="2310" y="250" width="80" height="750"/><rect class="bad" x="2310" y="0" width="80" height="250"/>`)
	says(t, b.get("/console/activity?span=1y"), http.StatusBadRequest, "cannot be read")
	says(t, newWorld(t).administrator().get("/console/activity"), http.StatusOK, "Nothing happened in this time.")
	w.statistics.Fail(problem.ErrStoreUnavailable)
	says(t, b.get("/console/activity"), http.StatusServiceUnavailable, "The database does not answer")
}

package fraud_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/holdline/holdline/internal/fraud"
)

const month = 30 * 24 * time.Hour

func codesOf(seen []fraud.Seen) string {
	var codes []string
	for _, s := range seen {
		codes = append(codes, s.CallingCode)
	}
	return strings.Join(codes, " ")
}

func TestWhatIsSuggestedCoversWhatIsConfirmed(t *testing.T) {
	now := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	many := []fraud.Seen{{CallingCode: "49", Requested: 900, Confirmed: 800, Busiest: 41}, {CallingCode: "43", Requested: 200, Confirmed: 185, Busiest: 9}}
	all := func(string) bool { return true }
	for name, tt := range map[string]struct {
		seen    []fraud.Seen
		days    int
		served  func(string) bool
		allow   string
		others  string
		unsound string
		missing fraud.Missing
		percent int
		budget  int
	}{
		"the busiest, until they are enough": {
			seen: append(many, fraud.Seen{CallingCode: "41", Requested: 20, Confirmed: 10}, fraud.Seen{CallingCode: "1", Requested: 5, Confirmed: 5}),
			days: 30, served: all, allow: "49 43", others: "41 1", percent: 98, budget: 130,
		},
		"no fewer than enough": {
			seen: append(many, fraud.Seen{CallingCode: "41", Requested: 30, Confirmed: 20}, fraud.Seen{CallingCode: "1", Requested: 5, Confirmed: 5}),
			days: 30, served: all, allow: "49 43 41", others: "1", percent: 99, budget: 130,
		},
		"all who are equal": {
			seen: []fraud.Seen{{CallingCode: "49", Requested: 980, Confirmed: 970}, {CallingCode: "41", Confirmed: 10}, {CallingCode: "33", Confirmed: 10}, {CallingCode: "39", Confirmed: 10}},
			days: 30, served: all, allow: "49 33 39 41", percent: 100, budget: 50,
		},
		"texts that nobody confirms are named": {
			seen: append(many, fraud.Seen{CallingCode: "882", Requested: 5000, Busiest: 4000}, fraud.Seen{CallingCode: "992", Requested: 25, Confirmed: 1}, fraud.Seen{CallingCode: "33", Requested: 19}),
			days: 30, served: all, allow: "49 43", others: "992 882 33", unsound: "882 992", percent: 99, budget: 130,
		},
		"what is not served is not counted": {
			seen: append(many, fraud.Seen{CallingCode: "882", Requested: 5000}, fraud.Seen{CallingCode: "", Requested: 500, Confirmed: 500}),
			days: 30, served: func(code string) bool { return code == "43" }, allow: "43", percent: 100, budget: 50,
		},
		"too few days":            {seen: many, days: 6, served: all, missing: fraud.MissingDays},
		"too few changes":         {seen: []fraud.Seen{{CallingCode: "49", Requested: 500, Confirmed: 99}, {CallingCode: "992", Requested: 20}}, days: 30, served: all, unsound: "992", missing: fraud.MissingTraffic},
		"nothing at all":          {days: 30, served: all, missing: fraud.MissingTraffic},
		"just enough of anything": {seen: []fraud.Seen{{CallingCode: "49", Requested: 100, Confirmed: 100}}, days: 7, served: all, allow: "49", percent: 100, budget: 50},
	} {
		t.Run(name, func(t *testing.T) {
			got := fraud.Suggest(tt.seen, now.Add(-time.Duration(tt.days)*24*time.Hour), now, tt.served)
			if codesOf(got.Allow) != tt.allow || codesOf(got.Others) != tt.others || codesOf(got.Unsound) != tt.unsound ||
				got.Missing != tt.missing || got.Percent() != tt.percent || got.Budget != tt.budget || got.Days != tt.days {
				t.Errorf("got %+v: %d %%", got, got.Percent())
			}
		})
	}
}

// Whatever was seen, no suggestion leaves more than two in a hundred of the confirmed changes out,
// and nothing smaller would do.
func TestASuggestionIsTheLeastThatIsEnough(t *testing.T) {
	now := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	for n := range 300 {
		var seen []fraud.Seen
		for i := range n%17 + 1 {
			confirmed := (n*7919 + i*i*104729) % (1 << (i % 12))
			seen = append(seen, fraud.Seen{CallingCode: fmt.Sprint(200 + i), Requested: confirmed + i, Confirmed: confirmed})
		}
		got := fraud.Suggest(seen, now.Add(-month), now, func(string) bool { return true })
		if got.Missing != "" {
			continue
		}
		if got.Covered*100 < 98*got.Confirmed {
			t.Fatalf("%v: %+v covers too little", seen, got)
		}
		least, without := got.Allow[len(got.Allow)-1].Confirmed, got.Covered
		for _, code := range got.Allow {
			if code.Confirmed == least {
				without -= least
			}
		}
		if without*100 >= 98*got.Confirmed || len(got.Allow)+len(got.Others) != len(seen) {
			t.Fatalf("%v: %+v allows more than it need", seen, got)
		}
	}
}

package client

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// CountryTraffic is how many codes were texted to a calling code.
type CountryTraffic struct {
	CallingCode string `json:"calling_code"` // blank for numbers that have none
	Texts       int    `json:"texts"`
	Sent        int    `json:"sent"`
	Confirmed   int    `json:"confirmed"`
}

// Traffic counts the codes of the last hours, at most 2160, by calling code; 0 is
// the last 24.
func (c Client) Traffic(ctx context.Context, hours int) ([]CountryTraffic, error) {
	page, err := list[CountryTraffic](ctx, c, "/admin/traffic", url.Values{"hours": {strconv.Itoa(hours)}})
	return page.Items, err
}

// Suggestions are which countries might be texted, judged by the last thirty days. To take one,
// hand its lists to [Client.ChangeSettings]: what nothing is suggested for stays as it is.
type Suggestions struct {
	// Missing is why AllowedCallingCodes is what is set: few_days, few_changes or nothing_to_restrict.
	Missing             string   `json:"missing,omitempty"`
	Days                int      `json:"days"`
	Confirmed           int      `json:"confirmed"` // changes to numbers that are texted now
	Percent             int      `json:"percent"`   // how much of them Usual has
	AllowedCallingCodes []string `json:"allowed_calling_codes"`
	DeniedCallingCodes  []string `json:"denied_calling_codes"`
	// TextsPerCallingCodePerHour is three times the busiest hour; 0 where too little was seen.
	TextsPerCallingCodePerHour int     `json:"texts_per_calling_code_per_hour,omitempty"`
	Usual                      []Seen  `json:"usual"`
	Others                     []Seen  `json:"others"`
	Unsound                    []Seen  `json:"unsound"` // asked for, and nearly never confirmed
	Outside                    Outside `json:"outside"`
}

// Seen is what became of changes to numbers with a calling code.
type Seen struct {
	CallingCode string `json:"calling_code"`
	Requested   int    `json:"requested"`
	Confirmed   int    `json:"confirmed"`
}

// Outside is how much is about numbers that would no longer be texted.
type Outside struct {
	Pending   int       `json:"pending"`
	Confirmed int       `json:"confirmed"` // since then
	Since     time.Time `json:"since"`
}

// Suggestions returns which countries might be texted.
func (c Client) Suggestions(ctx context.Context) (Suggestions, error) {
	var found Suggestions
	err := c.call(ctx, http.MethodGet, "/admin/suggestions", nil, &found)
	return found, err
}

// Counts are how many changes were asked for, and what became of them.
type Counts struct {
	Requested  int `json:"requested"`
	Confirmed  int `json:"confirmed"`
	Failed     int `json:"failed"`
	Withdrawn  int `json:"withdrawn"`
	WrongCodes int `json:"wrong_codes"`
}

// Bucket is an hour or a day.
type Bucket struct {
	Start time.Time `json:"start"`
	Counts
}

// Country is a calling code, blank for numbers that have none.
type Country struct {
	CallingCode string `json:"calling_code"`
	Counts
}

// Statistics are what became of changes over time.
type Statistics struct {
	Span        string    `json:"span"`
	StepSeconds int       `json:"step_seconds"`
	Total       Counts    `json:"total"`
	Series      []Bucket  `json:"series"`    // oldest first
	Countries   []Country `json:"countries"` // the busiest first
}

// Statistics counts changes over a span (24h, 7d, 30d or 90d), to one calling code or, for a blank
// one, to all.
func (c Client) Statistics(ctx context.Context, span, callingCode string) (Statistics, error) {
	var found Statistics
	err := c.call(ctx, http.MethodGet, query("/admin/statistics", url.Values{"span": {span}, "calling_code": {callingCode}}), nil, &found)
	return found, err
}

package adminapi

import (
	"strconv"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/holdline/holdline/internal/auth"
	"github.com/holdline/holdline/internal/fraud"
	"github.com/holdline/holdline/internal/statistics"
	"github.com/holdline/holdline/internal/web"
)

type trafficResponse struct {
	CallingCode string `json:"calling_code"` // blank for numbers that have none
	Texts       int    `json:"texts"`
	Sent        int    `json:"sent"`
	Confirmed   int    `json:"confirmed"`
}

const mostHours = 24 * 90

// traffic tells for each calling code how many codes were texted in the last
// hours, and how many of them came back.
func (h handlers) traffic(c *gin.Context, _ auth.Administrator) (page[trafficResponse], error) {
	hours, err := strconv.Atoi(c.DefaultQuery("hours", "24"))
	if err != nil || hours < 1 || hours > mostHours {
		return page[trafficResponse]{}, web.ErrMalformed
	}
	now := h.Now()
	found, err := h.Archive.Traffic(c.Request.Context(), now.Add(-time.Duration(hours)*time.Hour), now)
	show := func(t fraud.Traffic) trafficResponse { return trafficResponse(t) }
	return page[trafficResponse]{Items: each(found, show)}, err
}

type seenResponse struct {
	CallingCode string `json:"calling_code"`
	Requested   int    `json:"requested"`
	Confirmed   int    `json:"confirmed"`
}

func seenOf(s fraud.Seen) seenResponse {
	return seenResponse{s.CallingCode, s.Requested, s.Confirmed}
}

// suggestionsResponse has both lists as they might be. One that nothing is suggested for is as it
// is: an empty one would lift a restriction, in the hands of whoever sets what is suggested.
type suggestionsResponse struct {
	Missing   fraud.Missing   `json:"missing,omitempty"`
	Days      int             `json:"days"`
	Confirmed int             `json:"confirmed"`
	Percent   int             `json:"percent"`
	Allow     []string        `json:"allowed_calling_codes"`
	Deny      []string        `json:"denied_calling_codes"`
	Budget    int             `json:"texts_per_calling_code_per_hour,omitempty"`
	Usual     []seenResponse  `json:"usual"`
	Others    []seenResponse  `json:"others"`
	Unsound   []seenResponse  `json:"unsound"`
	Outside   outsideResponse `json:"outside"`
}

type outsideResponse struct {
	Pending   int       `json:"pending"`
	Confirmed int       `json:"confirmed"`
	Since     time.Time `json:"since"`
}

// suggestions tells what the lists of calling codes might be, and who would be outside of them.
func (h handlers) suggestions(c *gin.Context, _ auth.Administrator) (suggestionsResponse, error) {
	ctx := c.Request.Context()
	s, err := h.Admin.Suggest(ctx)
	if err != nil {
		return suggestionsResponse{}, err
	}
	outside, err := h.Admin.Outside(ctx, s.Next)
	same := func(code string) string { return code }
	return suggestionsResponse{
		Missing: s.Missing, Days: s.Days, Confirmed: s.Confirmed, Percent: s.Percent(), Allow: each(s.Next.Allowed, same), Deny: each(s.Next.Denied, same),
		Budget: s.Budget, Usual: each(s.Suggestion.Allow, seenOf), Others: each(s.Others, seenOf), Unsound: each(s.Unsound, seenOf),
		Outside: outsideResponse{outside.Open, outside.Confirmed, outside.Since},
	}, err
}

type countsResponse struct {
	Requested int `json:"requested"`
	Confirmed int `json:"confirmed"`
	Failed    int `json:"failed"`
	Withdrawn int `json:"withdrawn"`
	Wrong     int `json:"wrong_codes"`
}

func countsOf(c statistics.Counts) countsResponse {
	return countsResponse{c.Requested, c.Confirmed, c.Failed, c.Withdrawn, c.Wrong}
}

type bucketResponse struct {
	Start time.Time `json:"start"`
	countsResponse
}

type countryResponse struct {
	CallingCode string `json:"calling_code"` // blank for numbers that have none
	countsResponse
}

type seriesResponse struct {
	Span      string            `json:"span"`
	Seconds   int               `json:"step_seconds"`
	Total     countsResponse    `json:"total"`
	Series    []bucketResponse  `json:"series"`    // oldest first
	Countries []countryResponse `json:"countries"` // the busiest first
}

func (h handlers) statistics(c *gin.Context, _ auth.Administrator) (seriesResponse, error) {
	span, ok := statistics.ParseSpan(c.DefaultQuery("span", "24h"))
	if !ok {
		return seriesResponse{}, web.ErrMalformed
	}
	found, err := h.Admin.Series(c.Request.Context(), span, c.Query("calling_code"))
	return seriesResponse{
		Span: span.Name, Seconds: int(span.Step / time.Second), Total: countsOf(found.Total),
		Series:    each(found.Buckets, func(b statistics.Bucket) bucketResponse { return bucketResponse{b.Start, countsOf(b.Counts)} }),
		Countries: each(found.Countries, func(s statistics.Country) countryResponse { return countryResponse{s.CallingCode, countsOf(s.Counts)} }),
	}, err
}

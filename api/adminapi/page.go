package adminapi

import (
	"strconv"

	"github.com/gin-gonic/gin"
)

const (
	usualPage   = 50
	largestPage = 500
)

// page is a part of a list, newest first.
type page[T any] struct {
	Items []T `json:"items"`
	// Next is the cursor of the page behind this one; blank on the last.
	Next string `json:"next,omitempty"`
}

// pageOf makes a page of what was found: one more than asked for, if there is
// more.
func pageOf[From, To any](found []From, limit int, show func(From) To, cursor func(From) string) page[To] {
	p := page[To]{}
	if len(found) > limit {
		found = found[:limit]
		p.Next = cursor(found[limit-1])
	}
	p.Items = each(found, show)
	return p
}

// each is never nil, so that an empty list is one in JSON too.
func each[From, To any](from []From, show func(From) To) []To {
	to := make([]To, len(from))
	for i, f := range from {
		to[i] = show(f)
	}
	return to
}

// limitOf reads how many items are wanted; 0 for what is no number.
func limitOf(c *gin.Context) int {
	n, err := strconv.Atoi(c.DefaultQuery("limit", strconv.Itoa(usualPage)))
	if err != nil {
		return 0
	}
	return n
}

// only is a list of what is asked for; nil asks for nothing.
func only(id string) []string {
	if id == "" {
		return nil
	}
	return []string{id}
}

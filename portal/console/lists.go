package console

import (
	"net/url"
)

// rows is how many rows a list shows at once.
const rows = 50

// cut returns a list's page of what was found with [rows] and one, and the
// cursor of the page behind it; blank on the last.
func cut[T any](found []T, cursor func(T) string) ([]T, string) {
	if len(found) <= rows {
		return found, ""
	}
	return found[:rows], cursor(found[rows-1])
}

// pager is what is below a list.
type pager struct {
	Newest, Older string // addresses; blank for none
}

// pages returns the addresses around a page of a list. What is asked for stays
// in them; the cursor is that of this page, and next that of the page behind it.
func pages(path string, asked url.Values, cursor, next string) pager {
	for name, values := range asked {
		if values[0] == "" {
			delete(asked, name)
		}
	}
	address := func() string {
		if len(asked) == 0 {
			return path
		}
		return path + "?" + asked.Encode()
	}
	var p pager
	if cursor != "" {
		p.Newest = address()
	}
	if next != "" {
		asked.Set("after", next)
		p.Older = address()
	}
	return p
}

// only is a list of what is asked for; nil asks for nothing.
func only(id string) []string {
	if id == "" {
		return nil
	}
	return []string{id}
}

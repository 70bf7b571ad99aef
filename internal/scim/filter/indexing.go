package filter

import (
	"slices"

	"github.com/holdline/holdline/internal/scim"
)

// Indexing says by what a type of resource can be found: it makes an entry's
// values and a query's condition, so that they agree.
type Indexing struct {
	resource scim.Resource
	found    map[string]target // by the path of the values
	sorted   map[string]target // by the path of the keys
}

// FoundBy are the paths that clients look users up by.
func FoundBy() []string {
	return []string{
		"userName", externalID, "emails.value", "phoneNumbers.value", "name.familyName", "name.givenName",
		"displayName", "active", "meta.created", "meta.lastModified", scim.EnterpriseSchema + ":employeeNumber",
	}
}

// SortedBy are the paths that the index keeps in order.
func SortedBy() []string {
	return []string{"userName", "emails.value", "name.familyName", "displayName", "meta.created", "meta.lastModified"}
}

// externalID has values of its own for every client; they are not in documents.
const externalID = "externalId"

// NewIndexing indexes those of the paths that the resource has.
func NewIndexing(r scim.Resource, found, sorted []string) Indexing {
	x := Indexing{r, map[string]target{}, map[string]target{}}
	for _, path := range found {
		if t, ok := leafOf(r, path); ok {
			x.found[t.String()] = t
		}
	}
	for _, path := range sorted {
		if t, ok := leafOf(r, path); ok {
			x.sorted[t.sortPath()] = t
		}
	}
	return x
}

func leafOf(r scim.Resource, path string) (target, bool) {
	t, ok := resolve(r, path)
	if !ok {
		return t, false
	}
	t, ok = t.leaf()
	return t, ok && t.last().Type != scim.Complex
}

// sortPath is the path of the key that a resource is sorted by. Where there can be
// several values it is another path than that of the values.
func (t target) sortPath() string {
	if t.many() {
		return t.String() + " first"
	}
	return t.String()
}

// Values returns what a document is found and sorted by.
func (x Indexing) Values(document map[string]any) scim.Values {
	values := scim.Values{}
	for path, t := range x.found {
		for _, value := range t.values(document) {
			key, ok := keyOf(t.last(), value)
			if ok && path != externalID && !slices.Contains(values[path], key) {
				values[path] = append(values[path], key)
			}
		}
	}
	for path, t := range x.sorted {
		values[path] = []string{t.sortKey(document)}
	}
	return values
}

// Query returns the part of a query that a filter and sortBy decide. No filter
// matches everything; a sortBy that leads to no attribute sorts nothing.
func (x Indexing) Query(f *Filter, sortBy string) scim.Query {
	q := scim.Query{Condition: scim.All{}, Exact: true}
	if f != nil {
		indexed := func(path string) bool { _, ok := x.found[path]; return ok }
		q.Condition, q.Exact = f.Narrow(x.resource, indexed)
		q.Matches = func(document map[string]any) bool { return f.Matches(x.resource, document) }
	}
	if t, ok := leafOf(x.resource, sortBy); ok {
		q.SortKey = t.sortKey
		if _, kept := x.sorted[t.sortPath()]; kept {
			q.SortBy = t.sortPath()
		}
	}
	return q
}

// sortKey returns what a document is sorted by: of several values the primary one,
// or else the first (RFC 7644, section 3.4.2.3).
func (t target) sortKey(document map[string]any) string {
	elements := t.elements(document)
	for i, element := range elements {
		members, _ := element.(map[string]any)
		if primary, _ := boolean(members["primary"]); primary {
			elements = elements[i:]
			break
		}
	}
	for _, element := range elements {
		values := []any{element}
		if t.sub != nil {
			values = subValues(element, *t.sub)
		}
		if key, ok := sortKeyOf(t.last(), values[0]); ok {
			return key
		}
	}
	return scim.Missing
}

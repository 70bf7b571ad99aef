package patch

import (
	"encoding/json"
	"fmt"
	"maps"
)

// unite makes one of elements that mean the same, if an operation named one of
// them; what it said counts.
func unite(list []*element) {
	seen := map[string]*element{}
	for _, el := range list {
		if len(el.members) == 0 {
			continue
		}
		key := el.key()
		other, ok := seen[key]
		if !ok || !el.named && !other.named {
			seen[key] = el
			continue
		}
		members := maps.Clone(other.members)
		maps.Copy(members, el.members)
		if !el.named {
			maps.Copy(members, other.members)
		}
		other.members, other.named = members, true
		if el.named {
			other.subs = el.subs
		}
		el.members, el.named = nil, true
	}
}

// key is the same for elements that mean the same: those with the same value and
// type, or, without a value, with the same members.
func (el *element) key() string {
	part := any(el.members)
	if value, ok := el.members["value"]; ok {
		part = []any{value, el.members["type"]}
	}
	text, err := json.Marshal(part)
	if err != nil { // what came from JSON goes back to it
		return fmt.Sprint(part)
	}
	return string(text)
}

// onePrimary takes primary from the others when an operation names a primary
// element (RFC 7644, section 3.5.2). Of several the last is.
func onePrimary(list []*element) {
	var last *element
	for _, el := range list {
		if el.named && el.members["primary"] == true {
			last = el
		}
	}
	for _, el := range list {
		if last != nil && el != last && el.members["primary"] == true {
			el.members["primary"] = false
		}
	}
}

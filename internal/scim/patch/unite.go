package patch

import (
	"encoding/json"
	"fmt"
	"maps"

	"github.com/holdline/holdline/internal/scim"
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

// uniteSingle makes one of the elements of the type that one at most may have. The
// one that was there gets the members of the one that was named. Where one operation
// names two of them, the second stays, for others to refuse.
func uniteSingle(list []*element, a scim.Attribute) {
	var there, named *element
	for _, el := range list {
		switch kind, _ := el.members["type"].(string); {
		case a.Single == "" || scim.Fold(kind) != a.Single:
		case !el.named && there == nil:
			there = el
		case el.named && named == nil:
			named = el
		}
	}
	if there == nil || named == nil {
		return
	}
	maps.Copy(there.members, named.members)
	there.named, there.subs = true, nil
	named.members = nil
}

// dropBlank removes elements that have lost their value, if what is left only
// describes one, and those of the single type without a value.
func dropBlank(list []*element, a scim.Attribute) {
	if _, ok := a.Find("value"); !ok {
		return
	}
	for _, el := range list {
		text, isText := el.members["value"].(string)
		kind, _ := el.members["type"].(string)
		single := a.Single != "" && scim.Fold(kind) == a.Single
		_, had := el.before["value"]
		switch {
		case !el.named || len(el.members) == 0:
		case single && isText && scim.Blank(text), had && el.members["value"] == nil && describes(el.members),
			single && el.members["value"] == nil && had:
			if el.before == nil {
				el.blank = el.members
			}
			el.remove()
		}
	}
}

// describes reports whether members only describe a value.
func describes(members map[string]any) bool {
	for name := range members {
		if name != "type" && name != "primary" && name != "display" {
			return false
		}
	}
	return true
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

package bulk

import (
	"maps"
	"slices"
	"strings"
)

// referred returns the bulkId that a text refers to (RFC 7644, section 3.7.2).
func referred(text string) (string, bool) { return strings.CutPrefix(text, "bulkId:") }

// references returns the bulkIds that an operation refers to, each once, in its
// path and its data.
func (o Operation) references() []string {
	found := map[string]bool{}
	if id, ok := referred(idOf(o.Path)); ok {
		found[id] = true
	}
	collect(o.Data, found)
	return slices.Sorted(maps.Keys(found))
}

func idOf(path string) string { return path[strings.LastIndexByte(path, '/')+1:] }

func collect(value any, found map[string]bool) {
	switch value := value.(type) {
	case string:
		if id, ok := referred(value); ok {
			found[id] = true
		}
	case map[string]any:
		for _, member := range value {
			collect(member, found)
		}
	case []any:
		for _, element := range value {
			collect(element, found)
		}
	}
}

// made has the ids of what was made, by bulkId.
type made map[string]string

// resolved is the operation with ids in the place of references. It shares no
// objects with this one.
func (o Operation) resolved(ids made) Operation {
	id := idOf(o.Path)
	o.Path = strings.TrimSuffix(o.Path, id) + ids.text(id)
	if o.Data != nil {
		o.Data = ids.object(o.Data)
	}
	return o
}

// text leaves alone what refers to nothing that was made.
func (ids made) text(text string) string {
	if bulkID, ok := referred(text); ok {
		if id, ok := ids[bulkID]; ok {
			return id
		}
	}
	return text
}

func (ids made) value(value any) any {
	switch value := value.(type) {
	case string:
		return ids.text(value)
	case map[string]any:
		return ids.object(value)
	case []any:
		list := make([]any, len(value))
		for i := range value {
			list[i] = ids.value(value[i])
		}
		return list
	default:
		return value
	}
}

func (ids made) object(members map[string]any) map[string]any {
	resolved := make(map[string]any, len(members))
	for name, value := range members {
		resolved[name] = ids.value(value)
	}
	return resolved
}

// reduce returns a resource without what refers to something that is not made:
// without the element of a list that has the reference in it, and where there is
// no list, without the whole attribute, as a part of a value is none.
func (ids made) reduce(data map[string]any) map[string]any {
	kept := make(map[string]any, len(data))
	for name, value := range data {
		if extension, ok := value.(map[string]any); ok && strings.HasPrefix(strings.ToLower(name), "urn:") {
			kept[name] = ids.reduce(extension)
		} else if value, ok := ids.reduced(value); ok {
			kept[name] = value
		}
	}
	return kept
}

// reduced returns what is left of a value, or false if it cannot do without what is
// not made.
func (ids made) reduced(value any) (any, bool) {
	switch value := value.(type) {
	case string:
		id, isReference := referred(value)
		_, ok := ids[id]
		return value, ok || !isReference
	case map[string]any:
		kept := make(map[string]any, len(value))
		for name, member := range value {
			var ok bool
			if kept[name], ok = ids.reduced(member); !ok {
				return nil, false
			}
		}
		return kept, true
	case []any:
		kept := []any{}
		for _, element := range value {
			if element, ok := ids.reduced(element); ok {
				kept = append(kept, element)
			}
		}
		return kept, true
	default:
		return value, true
	}
}

package mapping

// lookup follows names through objects. It reports whether a value is there, be it
// null.
func lookup(object map[string]any, path []string) (any, bool) {
	value, ok := object[path[0]]
	if len(path) == 1 || !ok {
		return value, ok
	}
	inner, _ := value.(map[string]any)
	return lookup(inner, path[1:])
}

// room reports whether a value can be set without replacing one that is no object.
func room(object map[string]any, path []string) bool {
	if len(path) == 1 || object[path[0]] == nil {
		return true
	}
	inner, ok := object[path[0]].(map[string]any)
	return ok && room(inner, path[1:])
}

// set sets a value and makes the objects that lead to it.
func set(object map[string]any, path []string, value any) {
	last := len(path) - 1
	for _, name := range path[:last] {
		inner, ok := object[name].(map[string]any)
		if !ok {
			inner = map[string]any{}
			object[name] = inner
		}
		object = inner
	}
	object[path[last]] = value
}

// drop removes a value and the objects that it leaves empty.
func drop(object map[string]any, path []string) {
	if len(path) > 1 {
		inner, ok := object[path[0]].(map[string]any)
		if !ok {
			return
		}
		if drop(inner, path[1:]); len(inner) > 0 {
			return
		}
	}
	delete(object, path[0])
}

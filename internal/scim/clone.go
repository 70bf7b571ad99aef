package scim

// Clone copies a value of a document, with all that is in it.
func Clone(value any) any {
	switch value := value.(type) {
	case map[string]any:
		return CloneObject(value)
	case []any:
		list := make([]any, len(value))
		for i := range value {
			list[i] = Clone(value[i])
		}
		return list
	default:
		return value
	}
}

// CloneObject copies an object of a document; the copy is never nil.
func CloneObject(members map[string]any) map[string]any {
	copied := make(map[string]any, len(members))
	for name, value := range members {
		copied[name] = Clone(value)
	}
	return copied
}

package doctor_test

import (
	"slices"
	"strconv"
	"strings"
	"testing"
)

// holder returns the mapping or list that a key's last step is in, made where it
// is missing, and that step. Keys are written as in findings: a.b[0].c.
func holder(t *testing.T, tree map[string]any, key string) (holder any, step string, replace func(any)) {
	t.Helper()
	steps := strings.FieldsFunc(key, func(r rune) bool { return strings.ContainsRune(".[]", r) })
	var at any = tree
	replace = func(any) { t.Fatal("the root cannot be replaced") }
	for _, step := range steps[:len(steps)-1] {
		switch in := at.(type) {
		case map[string]any:
			if in[step] == nil {
				in[step] = map[string]any{}
			}
			at, replace = in[step], func(v any) { in[step] = v }
		case []any:
			i, err := strconv.Atoi(step)
			if err != nil || i >= len(in) {
				t.Fatalf("there is no %s", key)
			}
			at, replace = in[i], func(v any) { in[i] = v }
		default:
			t.Fatalf("there is no %s", key)
		}
	}
	return at, steps[len(steps)-1], replace
}

// put sets a key; in a list it goes before the one that has its place.
func put(t *testing.T, tree map[string]any, key string, value any) {
	t.Helper()
	at, step, replace := holder(t, tree, key)
	switch in := at.(type) {
	case map[string]any:
		in[step] = value
	case []any:
		i, err := strconv.Atoi(step)
		if err != nil {
			t.Fatalf("there is no %s", key)
		}
		replace(slices.Insert(slices.Clone(in), min(i, len(in)), value))
	}
}

// take removes a key and returns what it held.
func take(t *testing.T, tree map[string]any, key string) any {
	t.Helper()
	at, step, replace := holder(t, tree, key)
	switch in := at.(type) {
	case map[string]any:
		if value, ok := in[step]; ok {
			delete(in, step)
			return value
		}
	case []any:
		if i, err := strconv.Atoi(step); err == nil && i < len(in) {
			value := in[i]
			replace(slices.Delete(slices.Clone(in), i, i+1))
			return value
		}
	}
	t.Fatalf("there is no %s", key)
	return nil
}

package verify

import (
	"maps"
	"slices"
)

// States are all that the page may be in.
func States() []string { return slices.Sorted(maps.Keys(faces)) }

package patch

import "slices"

// Touched is what a request named, in its order, whether it changed anything or
// not.
type Touched []Touch

// Touch is an attribute that an operation named, or one element of it.
type Touch struct {
	Op   Op
	Path string   // of the attribute: phoneNumbers, or with the URN of its extension
	Subs []string // the sub-attributes that were named; nil for all
	// All says that a multi-valued attribute was replaced or removed, so that every
	// element was named, also those that it does not have.
	All bool
	// Asked are the members that a filter asked for and found nowhere.
	Asked map[string]any
	// Before and After are an element; nil where there was or is none.
	Before, After map[string]any
}

// Element reports whether a sub-attribute of such elements of an attribute as match
// was named, or whether elements began or ceased to match. For the mobile number
// the attribute is phoneNumbers, the sub-attribute value, and those elements match
// whose type is mobile.
func (t Touched) Element(path, sub string, match func(element map[string]any) bool) bool {
	return slices.ContainsFunc(t, func(t Touch) bool { return t.Path == path && t.element(sub, match) })
}

func (t Touch) element(sub string, match func(map[string]any) bool) bool {
	before := t.Before != nil && match(t.Before)
	after := t.After != nil && match(t.After)
	named := t.Subs == nil || slices.Contains(t.Subs, sub)
	asked := t.All || t.Asked != nil && match(t.Asked)
	return before != after || named && (before || asked)
}

package trial

// MakeTraits lets tests see what is made of a schema, and of an operator's own traits.
func MakeTraits(schema, own map[string]any, mobile string) (map[string]any, error) {
	m, err := makeTraits(schema, own, mobile)
	return m.traits, err
}

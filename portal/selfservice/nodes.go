package selfservice

import (
	"slices"
	"strconv"
)

// node is one of Kratos' UI nodes, which describe a form piece by piece.
type node struct {
	Type       string `json:"type"`
	Group      string `json:"group"`
	Attributes struct {
		Name         string `json:"name"`
		Type         string `json:"type"`
		Value        any    `json:"value"`
		Required     bool   `json:"required"`
		Disabled     bool   `json:"disabled"`
		Autocomplete string `json:"autocomplete"`
		Pattern      string `json:"pattern"`
	} `json:"attributes"`
	Messages []message `json:"messages"`
	Meta     struct {
		Label message `json:"label"`
	} `json:"meta"`
}

// message is one of Kratos' UI messages; Type is info, success or error.
type message struct {
	Text string `json:"text"`
	Type string `json:"type"`
}

// form is what a person fills in.
type form struct {
	Heading string
	Action  string
	Method  string
	Hidden  []field
	Fields  []field
	Buttons []field
}

// field is an input as the templates need it.
type field struct {
	Name, Type, Value, Label string
	Autocomplete, Pattern    string
	Required, Disabled       bool
	Checked, Invalid         bool
	Messages                 []message
}

// forms makes the parts' forms. One that offers nothing to submit is left out.
func (f flow) forms(parts []part) []form {
	var found []form
	for _, p := range parts {
		made := form{Heading: p.heading, Action: f.UI.Action, Method: f.UI.Method}
		for _, n := range f.UI.Nodes {
			if n.Type == "input" && (n.Group == "default" || slices.Contains(p.groups, n.Group)) {
				made.add(n)
			}
		}
		if len(made.Buttons) > 0 {
			found = append(found, made)
		}
	}
	return found
}

func (f *form) add(n node) {
	a := n.Attributes
	in := field{
		Name: a.Name, Type: a.Type, Value: valueOf(a.Value), Label: n.Meta.Label.Text,
		Autocomplete: a.Autocomplete, Pattern: a.Pattern, Required: a.Required, Disabled: a.Disabled,
		Messages: n.Messages,
	}
	in.Invalid = slices.ContainsFunc(n.Messages, func(m message) bool { return m.Type == "error" })
	if in.Label == "" {
		in.Label = in.Name
	}
	if in.Name == "identifier" && in.Autocomplete == "" {
		in.Autocomplete = "username"
	}
	if in.Name == "traits.mobile" && in.Type == "text" { // without format tel Kratos does not say so
		in.Type, in.Autocomplete = "tel", "tel"
	}
	switch in.Type {
	case "hidden":
		f.Hidden = append(f.Hidden, in)
	case "submit":
		f.Buttons = append(f.Buttons, in)
	case "button": // needs Kratos' own script
	case "checkbox":
		in.Checked, in.Value = in.Value == "true", "true"
		f.Fields = append(f.Fields, in)
	case "password":
		in.Value = ""
		f.Fields = append(f.Fields, in)
	default:
		f.Fields = append(f.Fields, in)
	}
}

// valueOf writes a node's value, which is a string, a number, a boolean or null.
func valueOf(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case bool:
		return strconv.FormatBool(v)
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	default:
		return ""
	}
}

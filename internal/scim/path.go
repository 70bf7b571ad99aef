package scim

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// Path is what an attribute path, a value path or a schema's URN leads to
// (RFC 7644, section 3.5.2), in the schemas' spelling.
type Path struct {
	Schema    string    // the URN of the schema that has the attribute; the core's for common ones
	Attribute Attribute // without a name where the path is a URN alone
	Filter    string    // what stands in the brackets; blank for none
	Sub       Attribute // without a name where the path leads to the attribute itself

	extension bool
}

// Top is the path of the attribute, without filter and sub-attribute. Attributes of
// the core have no URN.
func (p Path) Top() string {
	switch {
	case p.Attribute.Name == "":
		return p.Schema
	case p.extension:
		return p.Schema + ":" + p.Attribute.Name
	default:
		return p.Attribute.Name
	}
}

// String is the whole path, spelled as the schemas do.
func (p Path) String() string {
	text := p.Top()
	if p.Filter != "" {
		text += "[" + p.Filter + "]"
	}
	if p.Sub.Name != "" {
		text += "." + p.Sub.Name
	}
	return text
}

// ReadOnly reports whether only the server writes what the path leads to.
func (p Path) ReadOnly() bool {
	return p.Attribute.Mutability == ReadOnly || p.Sub.Mutability == ReadOnly
}

// ErrUnknown says that a path begins with what no schema has; it comes with an
// [*Error].
var ErrUnknown = errors.New("scim: no such attribute")

// maxPath bounds a path, in bytes.
const maxPath = 4096

// ParsePath reads a path. The filter in it is found and not read. Errors are
// [*Error] with invalidPath.
func (r Resource) ParsePath(text string) (Path, error) {
	if len(text) > maxPath {
		return Path{}, Bad(InvalidPath, fmt.Sprintf("the path is longer than %d bytes", maxPath))
	}
	if !utf8.ValidString(text) {
		return Path{}, Bad(InvalidPath, "the path is not UTF-8 text")
	}
	schema, rest := r.cutSchema(text)
	p := Path{Schema: schema.ID, extension: schema.ID != r.Core.ID}
	if rest == "" && text != "" {
		return p, nil
	}
	name := rest
	if end := strings.IndexAny(rest, ".["); end >= 0 {
		name = rest[:end]
	}
	found := schema.Find
	if !p.extension {
		found = r.Find
	}
	var ok bool
	if p.Attribute, ok = found(name); !ok {
		return Path{}, unknown("the path names an attribute that is not known")
	}
	return p, p.parseRest(rest[len(name):])
}

// cutSchema takes the URN of a known schema off, the longest that fits.
func (r Resource) cutSchema(text string) (schema Schema, rest string) {
	schema, rest = r.Core, text
	longest := 0
	for _, s := range r.all() {
		n := len(s.ID)
		if n <= longest || len(text) < n || !strings.EqualFold(text[:n], s.ID) {
			continue
		}
		switch {
		case len(text) == n:
			longest, schema, rest = n, s, ""
		case (text[n] == ':' || text[n] == '.') && len(text) > n+1: // some clients write a dot
			longest, schema, rest = n, s, text[n+1:]
		}
	}
	return schema, rest
}

// parseRest reads what follows the attribute's name: [filter], .sub, both or none.
func (p *Path) parseRest(rest string) error {
	if strings.HasPrefix(rest, "[") {
		end := closing(rest)
		switch {
		case end < 0:
			return Bad(InvalidPath, "the path has a bracket that is not closed")
		case strings.TrimSpace(rest[1:end]) == "":
			return Bad(InvalidPath, "the path has no filter in its brackets")
		case !p.Attribute.MultiValued || p.Attribute.Type != Complex:
			return Bad(InvalidPath, p.Top()+" has no elements to choose from")
		}
		p.Filter, rest = strings.TrimSpace(rest[1:end]), rest[end+1:]
	}
	if rest == "" {
		return nil
	}
	name, ok := strings.CutPrefix(rest, ".")
	if !ok {
		return Bad(InvalidPath, "the path goes on after its bracket")
	}
	if p.Sub, ok = p.Attribute.Find(name); !ok {
		return unknown(p.Top() + " has no such sub-attribute")
	}
	return nil
}

// closing finds the bracket that closes the one at the beginning, or -1. Brackets
// in strings do not count.
func closing(text string) int {
	quoted := false
	for i := 0; i < len(text); i++ {
		switch {
		case quoted && text[i] == '\\':
			i++
		case text[i] == '"':
			quoted = !quoted
		case text[i] == ']' && !quoted:
			return i
		}
	}
	return -1
}

func unknown(detail string) error {
	return fmt.Errorf("%w (%w)", ErrUnknown, Bad(InvalidPath, detail))
}

package doctor

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/knadh/koanf/maps"
	"go.yaml.in/yaml/v3"
)

// File is a kratos.yml, or several that Kratos merges: mappings are joined, all
// else is replaced by the later file's. What Kratos is told by environment
// variables is not in it.
type File struct {
	parts []part
	tree  map[string]any
}

// part is one of the files.
type part struct {
	name string
	root *yaml.Node
}

// ReadKratos reads one or more files, YAML or JSON, in the order in which Kratos
// is given them. The error names the file and says nothing of what is in it.
func ReadKratos(names ...string) (*File, error) {
	f := &File{tree: map[string]any{}}
	var faults []error
	for _, name := range names {
		switch strings.ToLower(filepath.Ext(name)) {
		case ".yml", ".yaml", ".json":
		default:
			faults = append(faults, fmt.Errorf("%s: the name must end in .yml, .yaml or .json", name))
			continue
		}
		content, err := os.ReadFile(name) //nolint:gosec // the operator names it
		if err == nil {
			err = f.add(name, content)
		}
		if err != nil {
			faults = append(faults, fmt.Errorf("Kratos' configuration: %w", err))
		}
	}
	return f, errors.Join(faults...)
}

func (f *File) add(name string, content []byte) error {
	var root yaml.Node
	var tree map[string]any
	err := yaml.Unmarshal(content, &root)
	if err == nil {
		err = root.Decode(&tree)
	}
	if err != nil {
		return fmt.Errorf("%s: is not YAML or JSON with an object in it", name)
	}
	f.parts = append(f.parts, part{name, &root})
	maps.Merge(tree, f.tree)
	return nil
}

// Tree is the whole, merged.
func (f *File) Tree() map[string]any { return f.tree }

// steps takes a key such as a.b[0].c apart.
func steps(key string) []string {
	return strings.FieldsFunc(key, func(r rune) bool { return r == '.' || r == '[' || r == ']' })
}

// value returns what a key holds, nil if there is none.
func (f *File) value(key string) any {
	var at any = f.tree
	for _, step := range steps(key) {
		switch inner := at.(type) {
		case map[string]any:
			at = inner[step]
		case []any:
			i, err := strconv.Atoi(step)
			if err != nil || i >= len(inner) {
				return nil
			}
			at = inner[i]
		default:
			return nil
		}
	}
	return at
}

// text returns a key's text, or what Kratos takes if there is none.
func (f *File) text(key, otherwise string) string {
	switch v := f.value(key).(type) {
	case nil:
		return otherwise
	case string:
		return v
	default:
		return fmt.Sprint(v)
	}
}

// isOn returns a switch.
func (f *File) isOn(key string, otherwise bool) bool {
	on, err := strconv.ParseBool(f.text(key, strconv.FormatBool(otherwise)))
	return err == nil && on
}

// texts returns a list of texts.
func (f *File) texts(key string) []string {
	list, _ := f.value(key).([]any)
	var found []string
	for _, one := range list {
		if text, ok := one.(string); ok {
			found = append(found, text)
		}
	}
	return found
}

// duration returns a time such as 15m.
func (f *File) duration(key string, otherwise time.Duration) time.Duration {
	d, err := time.ParseDuration(f.text(key, otherwise.String()))
	if err != nil {
		return otherwise
	}
	return d
}

// place finds a key in the file whose word counts, the last one that has it; or
// where it would have to stand: below as much of it as there is, in the first file
// that has so much. There is no line for what has nothing of it.
func (f *File) place(key string) Place {
	path, found, deepest := steps(key), Place{Key: key}, -1
	for _, p := range f.parts {
		line, depth := locate(p.root, path)
		if depth > deepest || depth == len(path) {
			found.File, found.Line, deepest = p.name, line, depth
		}
		if deepest == 0 {
			found.Line = 0
		}
	}
	return found
}

// locate returns the line of a path as far as it leads, and how far that is.
func locate(node *yaml.Node, path []string) (line, depth int) {
	for node != nil && (node.Kind == yaml.DocumentNode || node.Kind == yaml.AliasNode) {
		if node.Kind == yaml.AliasNode {
			node = node.Alias
			continue
		}
		node = node.Content[0]
	}
	if node == nil {
		return 0, 0
	}
	if len(path) == 0 {
		return node.Line, 0
	}
	next, at := child(node, path[0])
	if next == nil {
		return node.Line, 0
	}
	line, depth = locate(next, path[1:])
	if depth == 0 {
		line = at
	}
	return line, depth + 1
}

// child returns a member of a mapping or a list, and its line.
func child(node *yaml.Node, step string) (*yaml.Node, int) {
	switch node.Kind {
	case yaml.MappingNode:
		for i := 0; i+1 < len(node.Content); i += 2 {
			if node.Content[i].Value == step {
				return node.Content[i+1], node.Content[i].Line
			}
		}
	case yaml.SequenceNode:
		if i, err := strconv.Atoi(step); err == nil && i < len(node.Content) {
			return node.Content[i], node.Content[i].Line
		}
	default:
	}
	return nil, 0
}

// resolve returns the name of a file that the configuration names, as in
// file://./person.schema.json. Kratos takes it from where it is started; that is
// taken to be the folder of the last file.
func (f *File) resolve(name string) string {
	name = strings.TrimPrefix(name, "file://")
	if filepath.IsAbs(name) || len(f.parts) == 0 {
		return name
	}
	return filepath.Join(filepath.Dir(f.parts[len(f.parts)-1].name), name)
}

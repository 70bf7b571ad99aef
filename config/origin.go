package config

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/spf13/pflag"
	"go.yaml.in/yaml/v3"
)

// Explain adds to each fault of [Load], or of later checks, where its key got its value:
// the flag, the variable, or the line of the file. A fault whose text names that already
// stays as it is.
func Explain(err error, flags *pflag.FlagSet, environ []string) error {
	if err == nil {
		return nil
	}
	o := origins{flags: flags, variables: holdlineVariables(environ)}
	o.file = configFile(flags, o.variables)
	o.root = parseLines(o.file)
	var explained []error
	for _, fault := range Each(err) {
		if _, named := errors.AsType[unreadError](fault); !named {
			if at := o.of(keyOf(fault)); at != "" {
				fault = fmt.Errorf("%w (%s)", fault, at)
			}
		}
		explained = append(explained, fault)
	}
	return errors.Join(explained...)
}

// origins know where values came from.
type origins struct {
	flags     *pflag.FlagSet
	variables map[string]string
	file      string     // blank for none
	root      *yaml.Node // nil where lines are not known
}

// of returns where a key's value came from; blank if nobody gave one.
func (o origins) of(path string) string {
	for _, k := range keys() {
		if !within(path, k.path) {
			continue
		}
		for _, flag := range append([]string{k.flag()}, k.aliases...) {
			if f := o.flags.Lookup(flag); f != nil && f.Changed {
				return "--" + flag
			}
		}
		for _, name := range []string{k.variable(), k.variable() + "_FILE"} {
			if _, set := o.variables[name]; set {
				return name
			}
		}
	}
	if line := lineOf(o.root, path); line > 0 {
		return filepath.Base(o.file) + ":" + strconv.Itoa(line)
	}
	return ""
}

// parseLines reads a file for its lines; nil if that cannot be done. JSON is YAML.
func parseLines(name string) *yaml.Node {
	switch strings.ToLower(filepath.Ext(name)) {
	case ".yml", ".yaml", ".json":
	default:
		return nil
	}
	content, err := os.ReadFile(name) //nolint:gosec // The operator names the file.
	var root yaml.Node
	if err != nil || yaml.Unmarshal(content, &root) != nil || len(root.Content) != 1 {
		return nil
	}
	return root.Content[0]
}

// lineOf returns the line of a key such as a.b[0].c or, where that is not there, of what
// it would be a part of; 0 if none of it is there.
func lineOf(at *yaml.Node, path string) int {
	line := 0
	for _, step := range strings.FieldsFunc(path, func(r rune) bool { return r == '.' || r == '[' || r == ']' }) {
		next := (*yaml.Node)(nil)
		if at != nil && at.Kind == yaml.AliasNode {
			at = at.Alias
		}
		switch {
		case at == nil:
		case at.Kind == yaml.MappingNode:
			for i := 0; i+1 < len(at.Content); i += 2 {
				if at.Content[i].Value == step {
					next, line = at.Content[i+1], at.Content[i].Line
				}
			}
		case at.Kind == yaml.SequenceNode:
			if i, err := strconv.Atoi(step); err == nil && i < len(at.Content) {
				next, line = at.Content[i], at.Content[i].Line
			}
		}
		if next == nil {
			return line
		}
		at = next
	}
	return line
}

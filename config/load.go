package config

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"

	kjson "github.com/knadh/koanf/parsers/json"
	"github.com/knadh/koanf/parsers/toml/v2"
	"github.com/knadh/koanf/parsers/yaml"
	"github.com/knadh/koanf/providers/confmap"
	"github.com/knadh/koanf/providers/file"
	"github.com/knadh/koanf/v2"
	"github.com/spf13/pflag"
)

// Load reads the configuration. The error joins every fault that was found, each
// naming its key; none shows a value. A command that needs no more than some
// sections names them, and is spared the faults of the others.
func Load(flags *pflag.FlagSet, environ []string, sections ...string) (Config, error) {
	variables := holdlineVariables(environ)
	tree := koanf.New(".")
	if name := configFile(flags, variables); name != "" {
		if err := loadFile(tree, name); err != nil {
			return Config{}, unreadError{err, ""}
		}
	}
	overrides, faults := settings(flags, variables)
	for path := range overrides {
		tree.Delete(path) // a later source replaces a whole value; koanf would merge maps
	}
	if err := tree.Load(confmap.Provider(overrides, "."), nil); err != nil {
		return Config{}, fmt.Errorf("configuration: %w", err)
	}
	config, more := decode(tree)
	faults = append(faults, more...)
	impossible := slices.DeleteFunc(config.check(), func(fault error) bool {
		section, _, _ := strings.Cut(fault.Error(), ".")
		return len(sections) > 0 && !slices.Contains(sections, section)
	})
	return config, Join(errors.Join(faults...), errors.Join(impossible...))
}

func holdlineVariables(environ []string) map[string]string {
	variables := map[string]string{}
	for _, line := range environ {
		if name, value, ok := strings.Cut(line, "="); ok && strings.HasPrefix(name, "HOLDLINE_") {
			variables[name] = value
		}
	}
	return variables
}

// configFile is the name of the configuration file, blank for none.
func configFile(flags *pflag.FlagSet, variables map[string]string) string {
	if f := flags.Lookup("config"); f != nil && f.Changed {
		return f.Value.String()
	}
	return variables["HOLDLINE_CONFIG"]
}

func loadFile(tree *koanf.Koanf, name string) error {
	var parser koanf.Parser
	switch strings.ToLower(filepath.Ext(name)) {
	case ".yml", ".yaml":
		parser = yaml.Parser()
	case ".json":
		parser = kjson.Parser()
	case ".toml":
		parser = toml.Parser()
	default:
		return fmt.Errorf("configuration file %s: the name must end in .yml, .yaml, .json or .toml", name)
	}
	err := tree.Load(file.Provider(name), parser)
	if _, ok := errors.AsType[*fs.PathError](err); ok {
		return fmt.Errorf("configuration file: %w", err)
	}
	if err != nil {
		return fmt.Errorf("configuration file %s: cannot be read%s: look at quotes, brackets and indentation, and for names given twice",
			name, place(err))
	}
	return nil
}

var lineNumber = regexp.MustCompile(`\bline [0-9]+`)

// place says about where a parser stopped, if that is known. Its message stays
// unsaid: it may have a piece of a value.
func place(err error) string {
	if at, ok := errors.AsType[interface {
		error
		Position() (row, column int)
	}](err); ok {
		row, _ := at.Position()
		return fmt.Sprintf(" near line %d", row)
	}
	if at, ok := errors.AsType[*json.SyntaxError](err); ok {
		return fmt.Sprintf(" near byte %d", at.Offset)
	}
	if line := lineNumber.FindString(err.Error()); line != "" {
		return " near " + line
	}
	return ""
}

// settings collects what variables and flags say, flags winning.
func settings(flags *pflag.FlagSet, variables map[string]string) (map[string]any, []error) {
	found := map[string]any{}
	var faults []error
	put := func(k key, text, from string) {
		value, err := k.read(text)
		if err != nil {
			faults = append(faults, unreadError{fmt.Errorf("%s: %w", from, err), k.path})
			return
		}
		found[k.path] = value
	}
	known, sections := map[string]bool{}, map[string]bool{}
	for _, k := range keys() {
		section, _, _ := strings.Cut(k.path, ".")
		sections[strings.ToUpper(section)] = true
		known[k.variable()], known[k.variable()+"_FILE"] = true, true
		if name, ok := variables[k.variable()+"_FILE"]; ok {
			text, err := os.ReadFile(name) //nolint:gosec // the operator names the file
			if err != nil {
				faults = append(faults, unreadError{fmt.Errorf("%s_FILE: %w", k.variable(), err), k.path})
			} else {
				put(k, strings.TrimSpace(string(text)), k.variable()+"_FILE")
			}
		}
		if text, ok := variables[k.variable()]; ok {
			put(k, text, k.variable())
		}
		for _, flag := range append(k.aliases, k.flag()) {
			if f := flags.Lookup(flag); f != nil && f.Changed {
				text := f.Value.String()
				if v, ok := f.Value.(*flagValue); ok {
					text = v.text
				}
				put(k, text, "--"+flag)
			}
		}
	}
	names := slices.Sorted(maps.Keys(known))
	for _, name := range slices.Sorted(maps.Keys(variables)) {
		near := Nearest(name, names)
		switch {
		case known[name]:
		case near != "":
			faults = append(faults, fmt.Errorf("%s: unknown variable; did you mean %s?", name, near))
		case inSection(name, sections):
			faults = append(faults, fmt.Errorf("%s: unknown variable", name))
		}
	}
	return found, faults
}

// inSection reports whether a variable looks like a key of some section. Others
// with the prefix, unless spelled nearly as one, are not Holdline's to judge.
func inSection(variable string, sections map[string]bool) bool {
	for section := range sections {
		if strings.HasPrefix(variable, "HOLDLINE_"+section+"_") {
			return true
		}
	}
	return false
}

// read turns a flag's or variable's text into what a file would hold.
func (k key) read(text string) (any, error) {
	switch {
	case k.named():
		var values map[string]any
		if json.Unmarshal([]byte(text), &values) != nil {
			return nil, errors.New("must be a JSON object")
		}
		return values, nil
	case k.structured():
		var records []map[string]any
		if json.Unmarshal([]byte(text), &records) != nil {
			return nil, errors.New("must be a JSON list of objects")
		}
		return records, nil
	case k.kind.Kind() == reflect.Slice && text == "":
		return []string{}, nil
	case k.kind.Kind() == reflect.Slice:
		return strings.FieldsFunc(text, func(r rune) bool { return r == ',' || r == '\n' }), nil
	default:
		return text, nil
	}
}

package config

import (
	"fmt"
	"reflect"
	"strings"
	"time"

	"github.com/spf13/pflag"
)

// key is one leaf of the configuration.
type key struct {
	path    string // as in the file, with dots
	usage   string
	aliases []string // further flag names
	kind    reflect.Type
	value   reflect.Value // the default
}

func (k key) flag() string { return strings.NewReplacer(".", "-", "_", "-").Replace(k.path) }

// variable is the key's environment variable.
func (k key) variable() string {
	return "HOLDLINE_" + strings.ToUpper(strings.ReplaceAll(k.path, ".", "_"))
}

// section is the first part of the key.
func (k key) section() string {
	section, _, _ := strings.Cut(k.path, ".")
	return section
}

func (k key) isSecret() bool {
	return k.kind == reflect.TypeFor[Secret]() || k.kind == reflect.TypeFor[[]Secret]()
}

// structured reports whether the key holds a list of records, or values by names
// of the operator's choice, which flags and variables give as JSON.
func (k key) structured() bool {
	return k.named() || k.kind.Kind() == reflect.Slice && k.kind.Elem().Kind() == reflect.Struct
}

func (k key) named() bool { return k.kind.Kind() == reflect.Map }

// keys lists all leaves with their defaults.
func keys() []key { return leaves(reflect.ValueOf(Default()), "") }

func leaves(v reflect.Value, prefix string) []key {
	var found []key
	for i := range v.NumField() {
		field := v.Type().Field(i)
		path := prefix + field.Tag.Get("koanf")
		if field.Type.Kind() == reflect.Struct {
			found = append(found, leaves(v.Field(i), path+".")...)
			continue
		}
		k := key{path: path, usage: field.Tag.Get("usage"), kind: field.Type, value: v.Field(i)}
		if alias := field.Tag.Get("alias"); alias != "" {
			k.aliases = append(k.aliases, alias)
		}
		found = append(found, k)
	}
	return found
}

// Flags adds --config and one flag for each key to a flag set.
func Flags(flags *pflag.FlagSet) {
	flags.StringP("config", "c", "", "configuration file: .yml, .yaml, .json or .toml (HOLDLINE_CONFIG)")
	for _, k := range keys() {
		k.addFlag(flags, k.flag(), k.usage)
		for _, alias := range k.aliases {
			k.addFlag(flags, alias, "short for --"+k.flag())
		}
	}
}

func (k key) addFlag(flags *pflag.FlagSet, name, usage string) {
	f := flags.VarPF(newFlagValue(k), name, "", usage)
	f.DefValue = k.shownDefault()
	f.Annotations = map[string][]string{sectionAnnotation: {k.section()}}
	if k.kind.Kind() == reflect.Bool {
		f.NoOptDefVal = "true"
	}
}

const sectionAnnotation = "holdline_section"

// Section returns the part of the configuration that a flag of [Flags] is for, blank
// for any other flag.
func Section(f *pflag.Flag) string {
	if section := f.Annotations[sectionAnnotation]; len(section) == 1 {
		return section[0]
	}
	return ""
}

// shownDefault is the default as people read it; blank for none.
func (k key) shownDefault() string {
	if k.value.IsZero() && k.kind.Kind() != reflect.Bool && k.kind.Kind() != reflect.Int {
		return ""
	}
	value := k.value.Interface()
	switch v := value.(type) {
	case Secret:
		value = v.Reveal() // the default is no secret
	case time.Duration:
		value = strings.NewReplacer("h0m0s", "h", "m0s", "m").Replace(v.String())
	}
	return fmt.Sprint(value)
}

// flagValue keeps a flag's text; it is read together with file and variables.
type flagValue struct {
	text string
	kind string
}

func newFlagValue(k key) *flagValue {
	kind := k.kind.String()
	switch {
	case k.structured():
		kind = "json"
	case k.isSecret():
		kind = "secret"
	case k.kind.Kind() == reflect.Slice:
		kind = "list"
	case k.kind.String() == "time.Duration":
		kind = "duration"
	}
	return &flagValue{kind: kind}
}

func (f *flagValue) String() string {
	if f.kind == "secret" {
		return Secret(f.text).String()
	}
	return f.text
}
func (f *flagValue) Set(text string) error { f.text = text; return nil }
func (f *flagValue) Type() string          { return f.kind }

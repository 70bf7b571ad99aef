package config

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-viper/mapstructure/v2"
	kjson "github.com/knadh/koanf/parsers/json"
	"github.com/knadh/koanf/parsers/toml/v2"
	"github.com/knadh/koanf/parsers/yaml"
	"github.com/knadh/koanf/providers/confmap"
	"github.com/knadh/koanf/providers/file"
	"github.com/knadh/koanf/v2"
	"github.com/spf13/pflag"
)

const validityKey = "identity_mgt.user_claim_update.mobile.verification_sms_otp_validity"

// Load reads the configuration. The error joins every fault that was found, each
// naming its key; none shows a value. A command that needs no more than some
// sections names them, and is spared the faults of the others.
func Load(flags *pflag.FlagSet, environ []string, sections ...string) (Config, error) {
	variables := map[string]string{}
	for _, line := range environ {
		if name, value, ok := strings.Cut(line, "="); ok && strings.HasPrefix(name, "HOLDLINE_") {
			variables[name] = value
		}
	}
	name := variables["HOLDLINE_CONFIG"]
	if f := flags.Lookup("config"); f != nil && f.Changed {
		name = f.Value.String()
	}
	tree := koanf.New(".")
	if name != "" {
		if err := loadFile(tree, name); err != nil {
			return Config{}, err
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
	for _, fault := range config.check() {
		section, _, _ := strings.Cut(fault.Error(), ".")
		if len(sections) == 0 || slices.Contains(sections, section) {
			faults = append(faults, fault)
		}
	}
	return config, errors.Join(faults...)
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
	if err := tree.Load(file.Provider(name), parser); err != nil {
		return fmt.Errorf("configuration file %s: %w", name, err)
	}
	return nil
}

// settings collects what variables and flags say, flags winning.
func settings(flags *pflag.FlagSet, variables map[string]string) (map[string]any, []error) {
	found := map[string]any{}
	var faults []error
	put := func(k key, text, from string) {
		value, err := k.read(text)
		if err != nil {
			faults = append(faults, fmt.Errorf("%s: %w", from, err))
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
				faults = append(faults, fmt.Errorf("%s_FILE: %w", k.variable(), err))
			}
			put(k, strings.TrimSpace(string(text)), k.variable()+"_FILE")
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
	for _, name := range slices.Sorted(maps.Keys(variables)) {
		if !known[name] && inSection(name, sections) {
			faults = append(faults, fmt.Errorf("%s: unknown variable", name))
		}
	}
	return found, faults
}

// inSection tells whether a variable looks like a key of some section. Others
// with the prefix are not Holdline's to judge.
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

// decode fills the defaults over with the tree.
func decode(tree *koanf.Koanf) (Config, []error) {
	config := Default()
	if tree.Exists(validityKey) {
		if err := tree.Set(validityKey, minutes(tree.Get(validityKey))); err != nil {
			return config, []error{fmt.Errorf("%s: %w", validityKey, err)}
		}
	}
	var metadata mapstructure.Metadata
	decoder, err := mapstructure.NewDecoder(&mapstructure.DecoderConfig{
		Result: &config, TagName: "koanf", WeaklyTypedInput: true, Metadata: &metadata, ZeroFields: true,
		DecodeHook: mapstructure.ComposeDecodeHookFunc(duration, words),
	})
	if err != nil {
		return config, []error{fmt.Errorf("configuration: %w", err)}
	}
	raw := tree.Raw()
	faults := readSecretFiles(raw)
	if err := decoder.Decode(raw); err != nil {
		faults = append(faults, decodeFaults(err)...)
	}
	for _, unknown := range metadata.Unused {
		faults = append(faults, fmt.Errorf("%s: unknown key", unknown))
	}
	return config, faults
}

// decodeFaults names the keys that do not fit, without their values.
func decodeFaults(err error) []error {
	var inner []error
	switch many := err.(type) { //nolint:errorlint // a walk over the error's own parts
	case interface{ WrappedErrors() []error }:
		inner = many.WrappedErrors()
	case interface{ Unwrap() []error }:
		inner = many.Unwrap()
	default:
		_, after, _ := strings.Cut(err.Error(), "'")
		name, _, found := strings.Cut(after, "'")
		if !found {
			name = "configuration"
		}
		return []error{fmt.Errorf("%s: has a value of the wrong type", name)}
	}
	var all []error
	for _, one := range inner {
		all = append(all, decodeFaults(one)...)
	}
	return all
}

// duration reads text such as 90s or 5m, and refuses bare numbers but zero: of
// what unit?
func duration(from, to reflect.Type, value any) (any, error) {
	if to != reflect.TypeFor[time.Duration]() || from == to {
		return value, nil
	}
	text := fmt.Sprint(value)
	if text == "0" {
		return time.Duration(0), nil
	}
	return time.ParseDuration(text)
}

// words reads switches from text, a switch where text is wanted, and one word
// where a list is.
func words(from, to reflect.Type, value any) (any, error) {
	if to.Kind() == reflect.Bool && from.Kind() != reflect.Bool {
		return strconv.ParseBool(strings.ToLower(fmt.Sprint(value)))
	}
	if to.Kind() == reflect.String && from.Kind() == reflect.Bool {
		return fmt.Sprint(value), nil
	}
	if to.Kind() == reflect.Slice && from.Kind() == reflect.String && to.Elem().Kind() == reflect.String {
		return []string{fmt.Sprint(value)}, nil
	}
	return value, nil
}

// minutes lets a bare number mean minutes, as in WSO2's deployment.toml.
func minutes(value any) any {
	text := strings.TrimSpace(fmt.Sprint(value))
	if _, err := strconv.ParseFloat(text, 64); err == nil {
		return text + "m"
	}
	return text
}

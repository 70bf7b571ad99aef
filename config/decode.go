package config

import (
	"errors"
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/go-viper/mapstructure/v2"
	"github.com/knadh/koanf/v2"
)

const validityKey = "identity_mgt.user_claim_update.mobile.verification_sms_otp_validity"

// decode fills the defaults over with the tree.
func decode(tree *koanf.Koanf) (Config, []error) {
	config := Default()
	if tree.Exists(validityKey) {
		if err := tree.Set(validityKey, minutes(tree.Get(validityKey))); err != nil {
			return config, []error{fmt.Errorf("%s: %w", validityKey, err)}
		}
	}
	decoder, err := mapstructure.NewDecoder(&mapstructure.DecoderConfig{
		Result: &config, TagName: "koanf", WeaklyTypedInput: true, ZeroFields: true,
		DecodeHook: mapstructure.ComposeDecodeHookFunc(duration, dates, words, quoted, templateIDs),
	})
	if err != nil {
		return config, []error{fmt.Errorf("configuration: %w", err)}
	}
	raw := tree.Raw()
	faults := readSecretFiles(raw)
	if err := decoder.Decode(raw); err != nil {
		faults = append(faults, decodeFaults(err)...)
	}
	for _, unknown := range unknownKeys(reflect.TypeFor[Config](), raw, "") {
		faults = append(faults, unknownKey(unknown))
	}
	return config, faults
}

// errNumber says that a value must be written as text.
var errNumber = errors.New("is a number here: put it in quotes")

// decodeFaults names the keys that do not fit, without their values.
func decodeFaults(err error) []error {
	if many, ok := errors.AsType[interface {
		error
		Unwrap() []error
	}](err); ok {
		var all []error
		for _, one := range many.Unwrap() {
			all = append(all, decodeFaults(one)...)
		}
		return all
	}
	name := "configuration"
	if fault, ok := errors.AsType[*mapstructure.DecodeError](err); ok {
		name = fault.Name()
	}
	if errors.Is(err, errNumber) {
		return []error{fmt.Errorf("%s: %w", name, errNumber)}
	}
	return []error{fmt.Errorf("%s: has a value of the wrong type", name)}
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

// dates turns what a file's reader has taken for a day or a time back into text.
func dates(_, to reflect.Type, value any) (any, error) {
	if to.Kind() != reflect.String {
		return value, nil
	}
	switch at := value.(type) {
	case time.Time:
		if at.Equal(at.UTC().Truncate(24 * time.Hour)) {
			return at.UTC().Format(time.DateOnly), nil
		}
		return at.Format(time.RFC3339), nil
	case fmt.Stringer: // TOML's own days and times
		return at.String(), nil
	default:
		return value, nil
	}
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

// quoted refuses numbers where text is wanted. A file's reader has lost how they
// were written: a plus, leading zeros (which mean octal in YAML), digits beyond
// those of a float.
func quoted(from, to reflect.Type, value any) (any, error) {
	if to.Kind() == reflect.String && from.Kind() >= reflect.Int && from.Kind() <= reflect.Float64 {
		return nil, errNumber
	}
	return value, nil
}

// templateIDs reads one id in place of those of each kind of text.
func templateIDs(from, to reflect.Type, value any) (any, error) {
	switch {
	case to != reflect.TypeFor[TemplateIDs]():
		return value, nil
	case from.Kind() == reflect.String:
		return TemplateIDs{Code: fmt.Sprint(value)}, nil
	case from.Kind() >= reflect.Int && from.Kind() <= reflect.Float64:
		return nil, errNumber
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

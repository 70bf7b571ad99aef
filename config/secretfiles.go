package config

import (
	"errors"
	"fmt"
	"os"
	"reflect"
	"strings"
)

// readSecretFiles replaces KEY_file by KEY in a tree that was read: for the
// secrets of gateways, and for the credentials in a request_config.
func readSecretFiles(raw map[string]any) []error {
	var found faults
	for i, gateway := range records(object(raw, "sms")["gateways"]) {
		at := fmt.Sprintf("sms.gateways[%d].", i)
		for _, field := range reflect.VisibleFields(reflect.TypeFor[Gateway]()) {
			if field.Type == reflect.TypeFor[Secret]() {
				found.readFile(gateway, at, field.Tag.Get("koanf"))
			}
		}
		found.readCredentials(gateway, at)
		data := object(gateway, "data")
		for name := range data {
			if key, ok := strings.CutSuffix(name, "_file"); ok {
				found.readFile(data, at+"data.", key)
			}
		}
	}
	found.readCredentials(object(object(raw, "notices"), "webhook"), "notices.webhook.")
	for i, realm := range records(raw["realms"]) {
		for _, key := range []string{"hook_key", "previous_hook_key"} {
			found.readFile(realm, fmt.Sprintf("realms[%d].", i), key)
		}
	}
	return found
}

func (f *faults) readCredentials(record map[string]any, at string) {
	credentials := object(object(object(record, "request_config"), "auth"), "config")
	for _, key := range []string{"password", "value", "access_key_secret"} {
		f.readFile(credentials, at+"request_config.auth.config.", key)
	}
}

func (f *faults) readFile(record map[string]any, at, key string) {
	given, ok := record[key+"_file"]
	if !ok {
		return
	}
	delete(record, key+"_file")
	name, err := fileName(given)
	var text []byte
	if err == nil {
		text, err = os.ReadFile(name) //nolint:gosec // The operator names the file.
	}
	if err != nil {
		*f = append(*f, unreadError{fmt.Errorf("%s%s_file: %w", at, key, err), at + key})
	}
	f.unless(record[key] == nil, at+key+"_file", "is given beside "+key)
	record[key] = strings.TrimSpace(string(text))
}

func fileName(given any) (string, error) {
	if name, ok := given.(string); ok {
		return name, nil
	}
	return "", errors.New("must be the name of a file")
}

// object is what a key holds, nil if that is none.
func object(record map[string]any, key string) map[string]any {
	inner, _ := record[key].(map[string]any)
	return inner
}

// records are the objects of a list, whatever format it was read from.
func records(list any) []map[string]any {
	found, _ := list.([]map[string]any)
	many, _ := list.([]any)
	for _, one := range many {
		record, _ := one.(map[string]any)
		found = append(found, record)
	}
	return found
}

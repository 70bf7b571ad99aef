package config

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
)

// Reference writes the table of all keys, for docs/configuration.md.
func Reference() string {
	var out strings.Builder
	out.WriteString("| key | default | meaning |\n|---|---|---|\n")
	for _, k := range keys() {
		name := "`" + k.path + "`"
		for _, alias := range k.aliases {
			name += " (`--" + alias + "`)"
		}
		shown := k.shownDefault()
		if shown != "" {
			shown = "`" + shown + "`"
		}
		fmt.Fprintf(&out, "| %s | %s | %s |\n", name, shown, k.usage)
	}
	return out.String()
}

// RecordReference writes the tables of what is in lists of records.
func RecordReference() string {
	var out strings.Builder
	for _, k := range keys() {
		if !k.structured() || k.kind.Elem().Kind() != reflect.Struct || k.kind.Elem().Field(0).Tag.Get("usage") == "" {
			continue
		}
		fmt.Fprintf(&out, "\nKeys of each record in `%s`:\n\n| key | meaning |\n|---|---|\n", k.path)
		for i := range k.kind.Elem().NumField() {
			tag := k.kind.Elem().Field(i).Tag
			fmt.Fprintf(&out, "| `%s` | %s |\n", tag.Get("koanf"), tag.Get("usage")+typesWith(k.path, tag.Get("koanf")))
		}
	}
	return out.String()
}

// typesWith names the types of gateway that have a key, those that need it in
// bold.
func typesWith(path, key string) string {
	if path != "sms.gateways" || slices.Contains(commonKeys, key) {
		return ""
	}
	var names []string
	for _, name := range slices.Sorted(maps.Keys(gatewayTypes)) {
		switch keys := gatewayTypes[name]; {
		case slices.Contains(keys.needs, key):
			names = append(names, "**"+name+"**")
		case slices.Contains(keys.may, key):
			names = append(names, name)
		}
	}
	return " (" + strings.Join(names, ", ") + ")"
}

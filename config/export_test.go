package config

import (
	"fmt"
	"strings"
	"time"
)

// Reference writes the table of all keys, for docs/configuration.md.
func Reference() string {
	var out strings.Builder
	out.WriteString("| key | flag | variable | default | meaning |\n|---|---|---|---|---|\n")
	for _, k := range keys() {
		flags := []string{"`--" + k.flag() + "`"}
		for _, alias := range k.aliases {
			flags = append(flags, "`--"+alias+"`")
		}
		fmt.Fprintf(&out, "| `%s` | %s | `%s` | %s | %s |\n",
			k.path, strings.Join(flags, " "), k.variable(), k.shownDefault(), k.usage)
	}
	return out.String()
}

func (k key) shownDefault() string {
	if k.value.IsZero() && k.kind.Kind().String() != "bool" && k.kind.Kind().String() != "int" {
		return ""
	}
	value := k.value.Interface()
	switch v := value.(type) {
	case Secret:
		value = v.Reveal() // the default is no secret
	case time.Duration:
		value = strings.NewReplacer("h0m0s", "h", "m0s", "m").Replace(v.String())
	}
	return fmt.Sprintf("`%v`", value)
}

package config

import (
	"fmt"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strings"
)

var recordIndex = regexp.MustCompile(`\[[0-9]+\]`)

// unknownKeys finds the keys of a tree that there are not, in order. It looks for itself:
// the decoder names none of a record that has another fault.
func unknownKeys(of reflect.Type, tree map[string]any, prefix string) []string {
	fields := map[string]reflect.Type{}
	for i := range of.NumField() {
		fields[strings.ToLower(of.Field(i).Tag.Get("koanf"))] = of.Field(i).Type
	}
	var unknown []string
	for _, name := range slices.Sorted(maps.Keys(tree)) {
		path := prefix + name
		switch inner, known := fields[strings.ToLower(name)]; {
		case !known:
			unknown = append(unknown, path)
		case inner.Kind() == reflect.Struct:
			unknown = append(unknown, unknownKeys(inner, object(tree, name), path+".")...)
		case inner.Kind() == reflect.Slice && inner.Elem().Kind() == reflect.Struct:
			for i, record := range records(tree[name]) {
				unknown = append(unknown, unknownKeys(inner.Elem(), record, fmt.Sprintf("%s[%d].", path, i))...)
			}
		case inner.Kind() == reflect.Map && inner.Elem().Kind() == reflect.Struct:
			for _, entry := range slices.Sorted(maps.Keys(object(tree, name))) {
				unknown = append(unknown, unknownKeys(inner.Elem(), object(object(tree, name), entry), path+"["+entry+"].")...)
			}
		}
	}
	return unknown
}

// unknownKey is the fault of a key that there is not, with those that may be meant: the
// one that is spelled nearly alike, or else those of the same name elsewhere.
func unknownKey(path string) error {
	plain := recordIndex.ReplaceAllString(path, "[]")
	known := knownPaths(reflect.TypeFor[Config](), "")
	meant := Nearest(plain, known)
	if meant == "" {
		var alike []string
		name := lastPart(plain)
		for _, other := range known {
			if lastPart(other) == name && !strings.Contains(other, "[]") {
				alike = append(alike, other)
			}
		}
		if len(alike) <= 2 {
			meant = strings.Join(alike, " or ")
		}
	}
	if meant == "" {
		return fmt.Errorf("%s: unknown key", path)
	}
	for _, index := range recordIndex.FindAllString(path, -1) {
		meant = strings.Replace(meant, "[]", index, 1)
	}
	return fmt.Errorf("%s: unknown key; did you mean %s?", path, meant)
}

func lastPart(path string) string { return path[strings.LastIndexByte(path, '.')+1:] }

// knownPaths are all keys, those of sections and of records included; a[].b is one of a
// list's records.
func knownPaths(of reflect.Type, prefix string) []string {
	var found []string
	for i := range of.NumField() {
		field := of.Field(i)
		path := prefix + field.Tag.Get("koanf")
		found = append(found, path)
		switch inner := field.Type; {
		case inner.Kind() == reflect.Struct:
			found = append(found, knownPaths(inner, path+".")...)
		case inner.Kind() == reflect.Slice && inner.Elem().Kind() == reflect.Struct:
			found = append(found, knownPaths(inner.Elem(), path+"[].")...)
		}
	}
	return found
}

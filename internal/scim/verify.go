package scim

import "strings"

// verifyFlag is the attribute verifyMobile as names and paths end with it.
const verifyFlag = "verifymobile"

// AsksToVerify reports whether a true verifyMobile is anywhere in a request: under
// any schema or none, as a member, a path as a member's name, or the path of a PATCH
// operation, in any case. Where it does not belong it counts all the same, because
// what asks for safety must not be overlooked.
func AsksToVerify(value any) bool {
	switch value := value.(type) {
	case []any:
		for _, element := range value {
			if AsksToVerify(element) {
				return true
			}
		}
	case map[string]any:
		for name, member := range value {
			if NamesVerify(name) && Affirms(member) || AsksToVerify(member) {
				return true
			}
		}
	}
	return false
}

// NamesVerify reports whether a name or path leads to verifyMobile.
func NamesVerify(path string) bool {
	path = Fold(strings.TrimSpace(path))
	return path[strings.LastIndexAny(path, ":.")+1:] == verifyFlag
}

// Affirms reports whether a value is true, or "true" in any case; also as the one
// value of a list or an object.
func Affirms(value any) bool {
	switch value := value.(type) {
	case bool:
		return value
	case string:
		return strings.EqualFold(strings.TrimSpace(value), "true")
	case []any:
		for _, element := range value {
			if Affirms(element) {
				return true
			}
		}
	case map[string]any:
		for _, member := range value {
			if Affirms(member) {
				return true
			}
		}
	}
	return false
}

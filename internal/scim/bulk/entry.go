package bulk

import (
	"maps"
	"net/http"
	"strings"

	"github.com/holdline/holdline/internal/scim"
)

// readEntry reads an operation (RFC 7644, section 3.7). The first thing that is
// wrong with it is its fault; the rest is read all the same, for its result.
func readEntry(value any) entry {
	var e entry
	object, ok := value.(map[string]any)
	if !ok {
		e.refuse(scim.InvalidSyntax, "an operation must be an object")
		return e
	}
	members, err := scim.FoldNames(object)
	if err != nil {
		e.refuse(scim.InvalidSyntax, "an operation has two members of the same name")
		return e
	}
	e.BulkID = e.text(members, "bulkId")
	e.readMethod(members)
	e.readPath(members)
	e.readData(members)
	if e.Method != http.MethodPost { // there is no version yet of what is to be made
		e.Version = e.text(members, "version")
	} else if e.BulkID == "" {
		e.refuse(scim.InvalidSyntax, "a POST needs a bulkId")
	}
	return e
}

func (e *entry) readMethod(members map[string]any) {
	method, _ := members["method"].(string)
	switch method := strings.ToUpper(method); method {
	case http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete:
		e.Method = method
	default:
		e.refuse(scim.InvalidSyntax, "method must be POST, PUT, PATCH or DELETE")
	}
}

// readPath takes /Users for what is to be made, and otherwise /Users/ and an id.
func (e *entry) readPath(members map[string]any) {
	path := e.text(members, "path")
	endpoint, id, hasID := strings.Cut(strings.TrimPrefix(path, "/"), "/")
	_, isReference := referred(endpoint)
	switch {
	case !strings.HasPrefix(path, "/") || endpoint == "" || isReference || strings.ContainsAny(path, "?#"):
		e.refuse(scim.InvalidValue, "path must be a resource's, such as /Users/2819c223")
	case e.Method == http.MethodPost && hasID:
		e.refuse(scim.InvalidValue, "the path of a POST must be a resource type's, such as /Users")
	case e.Method != http.MethodPost && (id == "" || strings.Contains(id, "/")):
		e.refuse(scim.InvalidValue, "path must end in a resource's id, as /Users/2819c223 does")
	default:
		e.Path = path
	}
}

// readData takes a PATCH's operations alone, too: the example of section 3.7.3 has
// them so. What asks for a verification beside the data is taken into it.
func (e *entry) readData(members map[string]any) {
	if e.Method == http.MethodDelete {
		return
	}
	data, ok := members["data"].(map[string]any)
	if list, isList := members["data"].([]any); isList && e.Method == http.MethodPatch {
		data, ok = map[string]any{"schemas": []any{scim.PatchOpSchema}, "Operations": list}, true
	}
	if !ok {
		e.refuse(scim.InvalidSyntax, "data must be an object")
		return
	}
	beside := maps.Clone(members)
	delete(beside, "data")
	if scim.AsksToVerify(beside) {
		data = maps.Clone(data)
		data["verifyMobile"] = true
	}
	e.Data = data
}

// text reads a member that is a string; blank if it is not there.
func (e *entry) text(members map[string]any, name string) string {
	value := members[strings.ToLower(name)]
	text, ok := value.(string)
	if !ok && value != nil {
		e.refuse(scim.InvalidSyntax, name+" must be a string")
	}
	return text
}

func (e *entry) refuse(kind scim.Keyword, detail string) {
	if e.fault == nil {
		e.fault = scim.Bad(kind, detail)
	}
}

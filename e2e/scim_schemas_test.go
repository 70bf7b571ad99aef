package e2e_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"testing"

	"github.com/holdline/holdline/e2e/harness"
)

// attribute is what /Schemas says of one.
type attribute struct {
	Name        string      `json:"name"`
	Type        string      `json:"type"`
	MultiValued bool        `json:"multiValued"`
	Required    bool        `json:"required"`
	Mutability  string      `json:"mutability"`
	Returned    string      `json:"returned"`
	Sub         []attribute `json:"subAttributes"`
}

// schemaFailures are what the walk finds and what is meant so.
var schemaFailures = map[string]string{
	"remove active": "an identity of Kratos is active or not: mutability, as for a required attribute",
}

// walkSchemas does to every attribute that /Schemas has what the Python package
// scim2-tester does: add, replace and remove it by PATCH, and ask for it alone and
// without it. What is announced must be what happens.
func walkSchemas(t *testing.T, s *harness.Stack, token harness.Header) string {
	steps, failed := 0, 0
	step := func(name, fault string) {
		t.Helper()
		steps++
		why := schemaFailures[name]
		switch {
		case fault != "" && why != "":
			failed++
		case fault != "":
			t.Errorf("%s: %s", name, fault)
		case why != "":
			t.Errorf("%s passes, but is said to fail: %s", name, why)
		}
	}
	ask := func(method, path, body string) harness.Answer { return s.SCIM(t, method, path, body, token) }
	status := func(answer harness.Answer, want ...int) string {
		if !slices.Contains(want, answer.Status) {
			return fmt.Sprintf("status %d, want one of %v: %s", answer.Status, want, answer.Body)
		}
		return ""
	}
	read := func(answer harness.Answer) (document map[string]any) {
		if err := json.Unmarshal([]byte(answer.Body), &document); err != nil {
			t.Fatalf("%v in %s", err, answer.Body)
		}
		return document
	}

	step("an unknown URL", status(ask(http.MethodGet, "/"+newUUID(), ""), http.StatusNotFound))
	for _, path := range []string{"/ServiceProviderConfig", "/ResourceTypes", "/ResourceTypes/User", "/Schemas"} {
		step(path, status(ask(http.MethodGet, path, ""), http.StatusOK))
	}
	step("an unknown resource type", status(ask(http.MethodGet, "/ResourceTypes/Nothing", ""), http.StatusNotFound))
	step("an unknown schema", status(ask(http.MethodGet, "/Schemas/urn:nothing", ""), http.StatusNotFound))

	created := ask(http.MethodPost, "/Users", `{"schemas":["`+harness.UserSchema+`"],"userName":"walker-`+newUUID()+`"}`)
	step("create", status(created, http.StatusCreated))
	user := "/Users/" + read(created)["id"].(string)
	step("read", status(ask(http.MethodGet, user, ""), http.StatusOK))

	for _, urn := range []string{harness.UserSchema, harness.EnterpriseSchema} {
		answer := ask(http.MethodGet, "/Schemas/"+urn, "")
		step(urn, status(answer, http.StatusOK))
		var schema struct {
			Attributes []attribute `json:"attributes"`
		}
		if err := json.Unmarshal([]byte(answer.Body), &schema); err != nil || len(schema.Attributes) == 0 {
			t.Fatalf("%s: %v: %s", urn, err, answer.Body)
		}
		for _, a := range schema.Attributes {
			path := a.Name
			if urn != harness.UserSchema {
				path = urn + ":" + a.Name
			}
			shown := func(document map[string]any) (any, bool) {
				if urn != harness.UserSchema {
					document, _ = document[urn].(map[string]any)
				}
				value, ok := document[a.Name]
				return value, ok
			}
			for n, op := range []string{"add", "replace"} {
				value := valueOf(a, n)
				changed := ask(http.MethodPatch, user, patchOf(operation(op, path, value)))
				if a.Mutability == "readOnly" {
					step(op+" "+path, status(changed, http.StatusBadRequest))
					continue
				}
				fault := status(changed, http.StatusOK, http.StatusNoContent)
				if fault == "" {
					got, ok := shown(read(ask(http.MethodGet, user, "")))
					switch {
					case a.Returned == "never" && ok:
						fault = "it is shown"
					case a.Returned != "never" && !reflect.DeepEqual(got, value):
						fault = fmt.Sprintf("got %v, want %v", got, value)
					}
				}
				step(op+" "+path, fault)
			}
			if a.Mutability != "readOnly" && a.Returned == "default" {
				_, ok := shown(read(ask(http.MethodGet, user+"?attributes="+path, "")))
				step("only "+path, faultIf(!ok, "it is missing"))
				_, ok = shown(read(ask(http.MethodGet, user+"?excludedAttributes="+path, "")))
				step("without "+path, faultIf(ok, "it is shown"))
			}
			removed := ask(http.MethodPatch, user, patchOf(operation("remove", path, nil)))
			if a.Mutability == "readOnly" || a.Required {
				step("remove "+path, status(removed, http.StatusBadRequest))
				continue
			}
			fault := status(removed, http.StatusOK, http.StatusNoContent)
			if fault == "" {
				_, ok := shown(read(ask(http.MethodGet, user, "")))
				fault = faultIf(ok, "it is still there")
			}
			step("remove "+path, fault)
		}
	}
	step("remove the extension", status(ask(http.MethodPatch, user, patchOf(operation("remove", harness.EnterpriseSchema, nil))), http.StatusOK))
	step("delete", status(ask(http.MethodDelete, user, ""), http.StatusNoContent))
	step("read what is deleted", status(ask(http.MethodGet, user, ""), http.StatusNotFound))
	return suiteRow("python-scim: what scim2-tester does, in Go", steps, failed)
}

func faultIf(wrong bool, fault string) string {
	if wrong {
		return fault
	}
	return ""
}

// operation is one of a PATCH.
func operation(op, path string, value any) string {
	text, _ := json.Marshal(struct { // it has nothing that JSON cannot have
		Op    string `json:"op"`
		Path  string `json:"path"`
		Value any    `json:"value,omitempty"`
	}{op, path, value})
	return string(text)
}

// valueOf makes the nth value of an attribute, as JSON reads it.
func valueOf(a attribute, n int) any {
	var value any
	switch a.Type {
	case "boolean":
		value = n == 0
	case "integer":
		value = float64(n + 1)
	case "decimal":
		value = float64(n) + 0.5
	case "dateTime":
		value = fmt.Sprintf("2026-01-0%dT00:00:00Z", n+1)
	case "binary":
		value = []string{"AAAA", "BBBB"}[n]
	case "reference":
		value = fmt.Sprintf("https://example.com/%d", n)
	case "complex":
		members := map[string]any{}
		for _, sub := range a.Sub {
			if sub.Mutability == "readWrite" && sub.Returned != "never" {
				members[sub.Name] = valueOf(sub, n)
			}
		}
		if a.Name == "phoneNumbers" {
			members["type"], members["value"] = "work", fmt.Sprintf("+4930000000%d", n)
		}
		value = members
	default:
		value = map[string]string{
			"userName": fmt.Sprintf("walked-%d-%s", n, newUUID()), "password": fmt.Sprintf("a long secret of step %d", n),
		}[a.Name]
		if value == "" {
			value = fmt.Sprintf("%s-%d", a.Name, n)
		}
		if a.Name == "value" {
			value = fmt.Sprintf("walker-%d@example.com", n)
		}
	}
	if a.MultiValued {
		return []any{value}
	}
	return value
}

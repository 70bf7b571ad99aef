package patch_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/holdline/holdline/internal/scim"
	"github.com/holdline/holdline/internal/scim/patch"
)

// The most that the limits allow: every operation holds a long filter against many
// elements and chooses them all.
func BenchmarkHostileRequest(b *testing.B) {
	var elements []any
	for i := range 500 {
		elements = append(elements, map[string]any{"value": fmt.Sprint(i), "type": "x", "display": "d"})
	}
	document := map[string]any{"userName": "bob", "emails": elements}
	path := `emails[` + strings.Repeat(`display ne "e" and `, 19) + `type co "X"].display`
	var request patch.Request
	for range 200 {
		request.Operations = append(request.Operations, patch.Operation{Op: patch.Replace, Path: path, Value: "d"})
	}
	for b.Loop() {
		if _, err := patch.Apply(users, document, request, patch.Options{}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkUsualRequest(b *testing.B) {
	document := object(b, bob)
	body := operations(`{"op": "Replace", "path": "phoneNumbers[type eq \"mobile\"].value", "value": "+15005550007"}`)
	for b.Loop() {
		if _, err := send(b, document, body, scim.Lenient); err != nil {
			b.Fatal(err)
		}
	}
}

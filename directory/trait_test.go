package directory_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/holdline/holdline/directory"
)

func TestASchemaIsAskedAboutATrait(t *testing.T) {
	traits := func(mobile string) string {
		return `{"properties":{"traits":{"properties":{"mobile":` + mobile + `,"email":{"type":"string"}}}},"definitions":{
			"text":{"ory.sh/kratos":{"verification":{"via":"sms"}}}}}`
	}
	for name, tt := range map[string]struct {
		schema string
		want   directory.Trait
	}{
		"none of that name": {`{"properties":{"traits":{"properties":{"phone":{"type":"string"}}}}}`, directory.Trait{}},
		"no traits":         {`{}`, directory.Trait{}},
		"a plain one":       {traits(`{"type":"string"}`), directory.Trait{Known: true}},
		"a verifiable one":  {traits(`{"ory.sh/kratos":{"verification":{"via":"sms"}}}`), directory.Trait{Known: true, Verifiable: true}},
		"one for e-mail":    {traits(`{"ory.sh/kratos":{"verification":{"via":"email"}}}`), directory.Trait{Known: true}},
		"an identifier":     {traits(`{"ory.sh/kratos":{"credentials":{"code":{"identifier":true,"via":"sms"}}}}`), directory.Trait{Known: true, Code: true, Identifier: true}},
		"a user name":       {traits(`{"ory.sh/kratos":{"credentials":{"password":{"identifier":true}}}}`), directory.Trait{Known: true, Identifier: true}},
		"by reference":      {traits(`{"allOf":[{"$ref":"#/definitions/text"}]}`), directory.Trait{Known: true, Verifiable: true}},
		"one that lies elsewhere": {
			traits(`{"$ref":"https://schemas.example.com/mobile.json"}`),
			directory.Trait{Known: true, Code: true, Identifier: true, Verifiable: true, Unread: true},
		},
		"one that refers to itself": {
			traits(`{"allOf":[{"$ref":"#/properties/traits/properties/mobile"}]}`),
			directory.Trait{Known: true, Code: true, Identifier: true, Verifiable: true, Unread: true},
		},
		// Each question walks half of what may be walked at most.
		"a long one": {
			traits(`{"allOf":[` + strings.Repeat(`{},`, 1000) + `{}]}`), directory.Trait{Known: true},
		},
	} {
		t.Run(name, func(t *testing.T) {
			var schema map[string]any
			if err := json.Unmarshal([]byte(tt.schema), &schema); err != nil {
				t.Fatal(err)
			}
			if got := directory.DescribeTrait(schema, "mobile"); got != tt.want {
				t.Errorf("got %+v, want %+v", got, tt.want)
			}
		})
	}
}

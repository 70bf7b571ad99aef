package kratos_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/holdline/holdline/kratos"
)

func TestASchemaIsAskedAboutATrait(t *testing.T) {
	traits := func(mobile string) string {
		return `{"properties":{"traits":{"properties":{"mobile":` + mobile + `,"email":{"type":"string"}}}},"definitions":{
			"text":{"ory.sh/kratos":{"verification":{"via":"sms"}}}}}`
	}
	for name, tt := range map[string]struct {
		schema string
		want   kratos.Trait
	}{
		"none of that name":     {`{"properties":{"traits":{"properties":{"phone":{"type":"string"}}}}}`, kratos.Trait{}},
		"no traits":             {`{}`, kratos.Trait{}},
		"a plain one":           {traits(`{"type":"string"}`), kratos.Trait{Known: true}},
		"a verifiable one":      {traits(`{"ory.sh/kratos":{"verification":{"via":"sms"}}}`), kratos.Trait{Known: true, Verifiable: true}},
		"one for e-mail":        {traits(`{"ory.sh/kratos":{"verification":{"via":"email"}}}`), kratos.Trait{Known: true}},
		"an identifier":         {traits(`{"ory.sh/kratos":{"credentials":{"code":{"identifier":true,"via":"sms"}}}}`), kratos.Trait{Known: true, Code: true, Identifier: true}},
		"a user name":           {traits(`{"ory.sh/kratos":{"credentials":{"password":{"identifier":true}}}}`), kratos.Trait{Known: true, Identifier: true}},
		"one of the format tel": {traits(`{"allOf":[{"format":"tel"}],"ory.sh/kratos":{"verification":{"via":"sms"}}}`), kratos.Trait{Known: true, Verifiable: true, Tel: true}},
		"by reference":          {traits(`{"allOf":[{"$ref":"#/definitions/text"}]}`), kratos.Trait{Known: true, Verifiable: true}},
		"one that lies elsewhere": {
			traits(`{"$ref":"https://schemas.example.com/mobile.json"}`),
			kratos.Trait{Known: true, Code: true, Identifier: true, Verifiable: true, Unread: true},
		},
		"one that refers to itself": {
			traits(`{"allOf":[{"$ref":"#/properties/traits/properties/mobile"}]}`),
			kratos.Trait{Known: true, Code: true, Identifier: true, Verifiable: true, Unread: true},
		},
		// Each question walks half of what may be walked at most.
		"a long one": {
			traits(`{"allOf":[` + strings.Repeat(`{},`, 1000) + `{}]}`), kratos.Trait{Known: true},
		},
	} {
		t.Run(name, func(t *testing.T) {
			var schema map[string]any
			if err := json.Unmarshal([]byte(tt.schema), &schema); err != nil {
				t.Fatal(err)
			}
			if got := kratos.DescribeTrait(schema, "mobile"); got != tt.want {
				t.Errorf("got %+v, want %+v", got, tt.want)
			}
		})
	}
}

package scim_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/holdline/holdline/internal/scim"
)

var update = flag.Bool("update", false, "write the golden files")

func golden(t *testing.T, name string, value any) {
	t.Helper()
	var got bytes.Buffer
	encoder := json.NewEncoder(&got)
	encoder.SetIndent("", "\t")
	if err := encoder.Encode(value); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, got.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got.String()); diff != "" {
		t.Errorf("%s (-want +got):\n%s", name, diff)
	}
}

func TestDiscoveryDocuments(t *testing.T) {
	const base = "https://id.example.com/scim2"
	golden(t, "user-schema.json", users.Core.Document(base))
	golden(t, "enterprise-schema.json", scim.Enterprise().Document(base))
	golden(t, "wso2-schema.json", scim.WSO2().Document(base))
	golden(t, "user-resource-type.json", users.Document(base))
	bare := scim.NewServiceProviderConfig(base)
	golden(t, "bare-service-provider-config.json", bare)
	full := bare
	full.DocumentationURI = "https://docs.example.com"
	full.Bulk = scim.BulkSupport{Supported: true, MaxOperations: 100, MaxPayloadSize: 1 << 20}
	full.Filter = scim.FilterSupport{Supported: true, MaxResults: 200}
	full.Authentication = []scim.AuthenticationScheme{
		{Type: "oauthbearertoken", Name: "Bearer token", Description: "A token of the service's", Primary: true},
	}
	golden(t, "full-service-provider-config.json", full)
}

// The names of RFC 7643, sections 4.1 and 4.3, as section 8.7.1 lists them, with
// their sub-attributes.
func TestTheSchemasAreComplete(t *testing.T) {
	plural := []string{"value", "display", "type", "primary"}
	core := map[string][]string{
		"userName":    nil,
		"name":        {"formatted", "familyName", "givenName", "middleName", "honorificPrefix", "honorificSuffix"},
		"displayName": nil, "nickName": nil, "profileUrl": nil, "title": nil, "userType": nil,
		"preferredLanguage": nil, "locale": nil, "timezone": nil, "active": nil, "password": nil,
		"emails": plural, "phoneNumbers": plural, "ims": plural, "photos": plural,
		"addresses":    {"formatted", "streetAddress", "locality", "region", "postalCode", "country", "type", "primary"},
		"groups":       {"value", "$ref", "display", "type"},
		"entitlements": plural, "roles": plural, "x509Certificates": plural,
	}
	extension := map[string][]string{
		"employeeNumber": nil, "costCenter": nil, "organization": nil, "division": nil, "department": nil,
		"manager": {"value", "$ref", "displayName"}, "pendingMobileNumber": nil, "verifyMobile": nil,
	}
	for _, tt := range []struct {
		schema scim.Schema
		want   map[string][]string
	}{{users.Core, core}, {scim.Enterprise(), extension}} {
		got := map[string][]string{}
		for _, a := range tt.schema.Attributes {
			var subs []string
			for _, sub := range a.Sub {
				subs = append(subs, sub.Name)
			}
			got[a.Name] = subs
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.schema.ID, diff)
		}
	}
}

func TestCharacteristicsThatMatter(t *testing.T) {
	for path, want := range map[string]scim.Attribute{
		"userName":                          {Type: scim.String, Required: true, Uniqueness: scim.UniqueServer},
		"id":                                {Type: scim.String, CaseExact: true, Mutability: scim.ReadOnly, Returned: scim.ReturnedAlways, Uniqueness: scim.UniqueServer},
		"externalId":                        {Type: scim.String, CaseExact: true},
		"password":                          {Type: scim.String, CaseExact: true, Mutability: scim.WriteOnly, Returned: scim.ReturnedNever},
		"groups":                            {Type: scim.Complex, MultiValued: true, Mutability: scim.ReadOnly},
		"active":                            {Type: scim.Boolean, Assigned: true},
		enterprise + ":pendingMobileNumber": {Type: scim.String, Mutability: scim.ReadOnly},
		enterprise + ":verifyMobile":        {Type: scim.Boolean, Mutability: scim.WriteOnly, Returned: scim.ReturnedNever, AnyValue: true},
		scim.WSO2Schema + ":verifyMobile":   {Type: scim.Boolean, Mutability: scim.WriteOnly, Returned: scim.ReturnedNever, AnyValue: true},
	} {
		p, err := users.ParsePath(path)
		if err != nil {
			t.Fatal(err)
		}
		got := p.Attribute
		got.Name, got.Description, got.Sub = "", "", nil
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", path, diff)
		}
	}
}

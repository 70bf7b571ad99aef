package scim_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/holdline/holdline/internal/scim"
)

func TestPathsAreSpelledAsTheSchemasDo(t *testing.T) {
	for text, want := range map[string]string{
		"userName":                     "userName",
		"USERNAME":                     "userName",
		"name.GIVENNAME":               "name.givenName",
		"meta.lastmodified":            "meta.lastModified",
		"externalid":                   "externalId",
		"emails":                       "emails",
		"emails.value":                 "emails.value",
		`EMAILS[type eq "work"].VALUE`: `emails[type eq "work"].value`,
		`emails[ type eq "]" ]`:        `emails[type eq "]"]`,
		`emails[value eq "\"]"].type`:  `emails[value eq "\"]"].type`,
		enterprise:                     enterprise,
		strings.ToUpper(enterprise):    enterprise,
		enterprise + ":Manager.$REF":   enterprise + ":manager.$ref",
		scim.UserSchema:                scim.UserSchema,
		scim.UserSchema + ":name":      "name",
		scim.UserSchema + ":id":        "id",
		scim.UserSchema + `:ims[type eq "x"].value`: `ims[type eq "x"].value`,
		scim.WSO2Schema + ":VERIFYMOBILE":           scim.WSO2Schema + ":verifyMobile",
	} {
		p, err := users.ParsePath(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if got := p.String(); got != want {
			t.Errorf("%s: got %s, want %s", text, got, want)
		}
	}
}

func TestPathsThatAreNone(t *testing.T) {
	for text, unknown := range map[string]bool{
		"":                                 true,
		" ":                                true,
		" userName":                        true,
		"userName ":                        true,
		"shoe":                             true,
		"name.shoe":                        true,
		"name.":                            true,
		"name.givenName.x":                 true,
		".value":                           true,
		"urn:x:y:User:department":          true,
		enterprise + ":":                   true,
		enterprise + ":userName":           true,
		enterprise + "x:department":        true,
		scim.UserSchema + ":department":    true,
		"emails[type eq":                   false,
		`emails[type eq "work"`:            false,
		`emails[type eq "work].value`:      false,
		"emails[]":                         false,
		"emails[ ].value":                  false,
		`emails[type eq "work"]value`:      false,
		`emails[type eq "work"][value pr]`: false,
		"emails]":                          true,
		`name[givenName eq "x"]`:           false,
		`schemas[value eq "x"]`:            false,
		"title\xff":                        false,
		strings.Repeat("a", 4097):          false,
	} {
		_, err := users.ParsePath(text)
		if kind(err) != scim.InvalidPath {
			t.Errorf("%q: got %v", text, err)
		}
		if got := errors.Is(err, scim.ErrUnknown); got != unknown {
			t.Errorf("%q: unknown is %t, want %t", text, got, unknown)
		}
	}
}

func TestTheLongestSchemaCounts(t *testing.T) {
	r := scim.Resource{
		Core:       scim.Schema{ID: "urn:a", Attributes: []scim.Attribute{{Name: "b", Type: scim.String}}},
		Extensions: []scim.Schema{{ID: "urn:a:b", Attributes: []scim.Attribute{{Name: "c", Type: scim.String}}}},
	}
	for text, want := range map[string]string{"urn:a:b": "urn:a:b", "urn:A:B:C": "urn:a:b:c", "urn:a": "urn:a", "b": "b"} {
		p, err := r.ParsePath(text)
		if err != nil || p.String() != want {
			t.Errorf("%s: got %s, %v, want %s", text, p, err, want)
		}
	}
}

func TestWhatOnlyTheServerWrites(t *testing.T) {
	for text, want := range map[string]bool{
		"id": true, "meta.version": true, "groups": true, `groups[type eq "direct"].value`: true,
		enterprise + ":pendingMobileNumber": true, enterprise + ":manager.displayName": true,
		enterprise + ":manager": false, enterprise + ":verifyMobile": false, "password": false, "externalId": false,
	} {
		p, err := users.ParsePath(text)
		if err != nil || p.ReadOnly() != want {
			t.Errorf("%s: got %t, %v, want %t", text, p.ReadOnly(), err, want)
		}
	}
}

// A path's own spelling leads to the same.
func FuzzParsePath(f *testing.F) {
	for _, seed := range []string{
		"name.givenName", `emails[type eq "work" and value co "]"].value`, enterprise + ":manager.value", "emails[", "urn:a:b",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		p, err := users.ParsePath(text)
		if err != nil {
			if kind(err) != scim.InvalidPath {
				t.Fatal(err)
			}
			return
		}
		again, err := users.ParsePath(p.String())
		if err != nil {
			t.Fatalf("%s: %v", p, err)
		}
		if diff := cmp.Diff(p.String(), again.String()); diff != "" || p.Top() != again.Top() {
			t.Error(diff)
		}
	})
}

package filter_test

import (
	"encoding/json"
	"errors"
	"maps"
	"strings"
	"testing"

	"github.com/holdline/holdline/internal/scim"
	"github.com/holdline/holdline/internal/scim/filter"
)

// user is a type of resource with every kind of attribute.
func user() scim.Resource {
	text := func(name string) scim.Attribute { return scim.Attribute{Name: name, Type: scim.String} }
	several := func(name string) scim.Attribute {
		return scim.Attribute{Name: name, Type: scim.Complex, MultiValued: true, Sub: []scim.Attribute{
			text("value"), text("type"), {Name: "primary", Type: scim.Boolean}, {Name: "$ref", Type: scim.Reference},
		}}
	}
	return scim.Resource{
		Core: scim.Schema{ID: scim.UserSchema, Attributes: []scim.Attribute{
			text("userName"), text("displayName"), text("title"),
			{Name: "active", Type: scim.Boolean},
			{Name: "name", Type: scim.Complex, Sub: []scim.Attribute{text("familyName"), text("givenName")}},
			several("emails"), several("phoneNumbers"),
			{Name: "logins", Type: scim.Integer},
			{Name: "score", Type: scim.Decimal},
			{Name: "born", Type: scim.DateTime},
			{Name: "profileUrl", Type: scim.Reference},
			{Name: "key", Type: scim.Binary},
		}},
		Extensions: []scim.Schema{
			{ID: scim.EnterpriseSchema, Attributes: []scim.Attribute{
				text("employeeNumber"),
				{Name: "manager", Type: scim.Complex, Sub: []scim.Attribute{
					{Name: "value", Type: scim.String, CaseExact: true}, text("displayName"),
				}},
			}},
			{ID: scim.WSO2Schema, Attributes: []scim.Attribute{text("pendingMobileNumber")}},
		},
	}
}

func decode(tb testing.TB, text string) map[string]any {
	tb.Helper()
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.UseNumber()
	var document map[string]any
	if err := decoder.Decode(&document); err != nil {
		tb.Fatal(err)
	}
	return document
}

const jensen = `{
	"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
	"id": "2819c223", "externalId": "Ext-1", "userName": "BJensen@example.com", "title": "", "active": true,
	"displayName": "a \"quoted\" Straße\\ \u2028 K",
	"name": {"familyName": "O'Malley", "givenName": null},
	"emails": [
		{"value": "Work@example.com", "type": "work", "primary": true},
		{"value": "home@example.org", "type": "home"}, {"value": "bare@example.net"}
	],
	"phoneNumbers": [],
	"logins": 9007199254740993, "score": 1.5, "born": "2011-05-13T04:42:34Z",
	"profileUrl": "https://Example.com/b", "key": "QUJD",
	"meta": {"created": "2011-05-13T06:42:34+02:00", "version": "W/\"e1\""},
	"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": {"employeeNumber": "701984", "manager": {"value": "Boss"}},
	"urn:scim:wso2:schema": {"pendingMobileNumber": "+491512345678"}
}`

func TestAFilterMatchesAsTheRFCSays(t *testing.T) {
	document := decode(t, jensen)
	for text, want := range map[string]bool{
		`userName eq "bjensen@EXAMPLE.com"`:       true,
		`USERNAME Eq "bjensen@example.com"`:       true,
		`userName ne "bjensen@example.com"`:       false,
		`userName co "Jensen"`:                    true,
		`userName sw "bj"`:                        true,
		`userName sw "jensen"`:                    false,
		`userName ew ".COM"`:                      true,
		`userName gt "bjensen"`:                   true,
		`userName lt "c"`:                         true,
		`userName ge "BJENSEN@EXAMPLE.COM"`:       true,
		`userName le "bjensen@example.co"`:        false,
		`  userName  eq  "bjensen@example.com"  `: true,
		`userName eq "bjensen@example.co\u006d"`:  true,
		`userName eq "bjensen@example.co\u006D"`:  true,

		// Strings are JSON; case folds in all languages.
		`displayName co "\"quoted\""`: true,
		`displayName co "STRAẞE\\"`:   true,
		`displayName ew "\u2028 k"`:   true,
		`displayName co ") or ("`:     false,

		// Presence.
		`title pr`:                         false,
		`title eq ""`:                      true,
		`active pr`:                        true,
		`name pr`:                          true,
		`name.givenName pr`:                false,
		`phoneNumbers pr`:                  false,
		`emails.type pr`:                   true,
		`nickName pr`:                      false,
		`meta PR`:                          true,
		scim.EnterpriseSchema + ` pr`:      true,
		scim.EnterpriseSchema + `:none pr`: false,

		// What is unassigned is null.
		`name.givenName eq null`:    true,
		`name.givenName ne "x"`:     true,
		`nickName ne "x"`:           true,
		`nickName eq "x"`:           false,
		`nickName eq null`:          true,
		`not (nickName eq "x")`:     true,
		`phoneNumbers eq null`:      true,
		`phoneNumbers ne "+49"`:     true,
		`userName ne null`:          true,
		`userName eq null`:          false,
		`emails.type eq null`:       true,
		`emails.value eq null`:      false,
		`emails[type eq null]`:      true,
		`name.familyName.sub pr`:    false,
		`emails[none eq "x"]`:       false,
		`phoneNumbers[not (x pr)]`:  false,
		`emails[not (primary pr)]`:  true,
		`name[familyName sw "o'm"]`: true,

		// Any of several values.
		`emails co "@example.org"`:                                              true,
		`emails eq "home@example.org"`:                                          true,
		`emails.value sw "WORK"`:                                                true,
		`emails ne "home@example.org"`:                                          true,
		`not (emails eq "no@where.at")`:                                         true,
		`schemas eq "urn:ietf:params:scim:schemas:core:2.0:User"`:               true,
		`emails.type eq "work" and emails.value ew ".org"`:                      true,
		`emails[type eq "work" and value ew ".org"]`:                            false,
		`emails[type eq "home" and value co "@EXAMPLE" and value ew ".org"]`:    true,
		`emails[(type eq "x" or type eq "work") and not (primary eq false)]`:    true,
		`emails [ type eq "work" ] and (emails[type eq "home"])`:                true,
		`emails[type eq "work" and primary eq "True"]`:                          true,
		`Emails[Type eq "work"] or userName eq "x"`:                             true,
		`emails[primary eq false]`:                                              false,
		`phoneNumbers[type eq "mobile"] or emails[value eq "bare@example.net"]`: true,
		`emails[value eq "a]b"] or emails[value eq "bare@example.net" ]`:        true,
		`emails[type ne "work" and type ne "home" and value sw "bare"]`:         true,
		`emails.$ref pr`: false,
		`urn:ietf:params:scim:schemas:core:2.0:User:emails[type eq "home"]`:  true,
		`urn:ietf:params:scim:schemas:core:2.0:user:name.familyName sw "O'"`: true,
		scim.EnterpriseSchema + `:employeeNumber eq "701984"`:                true,
		scim.EnterpriseSchema + `:employeeNumber eq 701984`:                  true,
		strings.ToUpper(scim.EnterpriseSchema) + `:MANAGER.VALUE eq "Boss"`:  true,
		scim.EnterpriseSchema + `:manager eq "boss"`:                         false, // case exact
		scim.EnterpriseSchema + `:manager[value eq "Boss"]`:                  true,
		`urn:scim:wso2:schema:pendingMobileNumber sw "+49"`:                  true,
		`urn:example:unknown:2.0:User:userName eq "x"`:                       false,
		`employeeNumber eq "701984"`:                                         false, // the core has none
		`id eq "2819c223"`:                                                   true,
		`id eq "2819C223"`:                                                   false,
		`externalId eq "Ext-1"`:                                              true,
		`externalId eq "ext-1"`:                                              false,
		`meta.version eq "W/\"e1\""`:                                         true,
		`profileUrl eq "https://example.com/b"`:                              false,

		// Other types.
		`active eq true`:                              true,
		`active eq "True"`:                            true,
		`active eq False`:                             false,
		`active ne true`:                              false,
		`logins eq 9007199254740993`:                  true,
		`logins eq 9007199254740992`:                  false,
		`logins gt 9007199254740992`:                  true,
		`score eq 1.50`:                               true,
		`score lt 15e-1`:                              false,
		`score ge -2`:                                 true,
		`meta.created eq "2011-05-13T04:42:34Z"`:      true,
		`meta.created ge "2011-05-13T04:42:34.000Z"`:  true,
		`meta.created gt "2011-05-13T04:42:34"`:       false,
		`meta.created lt "2011-05-13T05:42:34+00:00"`: true,
		`born sw "2011-05"`:                           true,
		`meta.lastModified gt "2000-01-01T00:00:00Z"`: false,

		// Logic: and binds more than or.
		`title pr and title pr or active eq true`:                   true,
		`active eq true or title pr and title pr`:                   true,
		`(active eq true or title pr) and title pr`:                 false,
		`not(title pr)AND Not (id eq "x")`:                          true, // a bracket separates, too
		`not (title pr) And noT(id eq "x")`:                         true,
		`active eq true and active eq true and title pr`:            false,
		`title pr or title pr or title pr or active pr`:             true,
		`((((((active eq true))))))`:                                true,
		`not (not (active eq true))`:                                true,
		`not (active eq true and title pr) and (id pr or title pr)`: true,
	} {
		f, err := filter.Parse(text, filter.Limits{})
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if err := f.Check(user()); err != nil {
			t.Errorf("%s: %v", text, err)
		}
		if got := f.Matches(user(), document); got != want {
			t.Errorf("%s: got %t, want %t", text, got, want)
		}
	}
}

func TestAWrongFilterIsRefusedWithItsPlace(t *testing.T) {
	for text, want := range map[string]string{
		``:                                       "character 1: an attribute is expected",
		`   `:                                    "character 4: an attribute is expected",
		`userName zz "x"`:                        "character 10: an operator is expected",
		`ü eq "x"`:                               "character 1: this is no attribute",
		`displayName eq "ü" and 1a pr`:           "character 24: this is no attribute",
		`userName`:                               "character 9: an operator is expected",
		`userName eq`:                            "character 12: a string in quotes",
		`userName eq )`:                          "character 13: a string in quotes",
		`userName eq x y`:                        "character 15: and, or or the end is expected",
		`userName eq x"y"`:                       "character 14: and, or or the end is expected",
		`userName eq "x`:                         "character 13: the string has no end",
		`userName eq "x\q"`:                      "character 13: the string is not written as JSON",
		`userName eq "x" and`:                    "character 20: an attribute is expected",
		`userName eq "x" id pr`:                  "character 17: and, or or the end is expected",
		`(userName pr`:                           "character 13: a bracket is not closed",
		`userName pr)`:                           "character 12: and, or or the end is expected",
		`not userName pr`:                        "character 5: an operator is expected",
		`emails[type eq "work"`:                  "character 22: a bracket is not closed",
		`emails[type eq "work")`:                 "character 22: and, or or the end is expected",
		`emails[(type eq "work"]`:                "character 23: and, or or the end is expected",
		`emails[type eq "work"]value`:            "character 23: a value path ends here",
		`emails[type eq "work"].value`:           "character 23: a value path ends here",
		`emails[type eq "work"].value zz "a"`:    "operator is expected",
		`emails[]`:                               "character 8: an attribute is expected",
		`emails[a[b pr]]`:                        "character 9: a value path is within another",
		`a..b pr`:                                "character 1: this is no attribute",
		"userName pr\x00":                        "not UTF-8 text",
		"userName eq \"\xff\"":                   "not UTF-8 text",
		strings.Repeat("(", 17) + `a pr`:         "character 17: the filter is nested more than 16 deep",
		`a eq "` + strings.Repeat("x", 4096):     "longer than 4096 bytes",
		strings.Repeat("a pr or ", 100) + `a pr`: "more than 100 comparisons",

		// What a schema does not allow.
		`active gt true`:                       "character 1: gt is not for an attribute of type boolean",
		`userName pr and active co "t"`:        "character 17: co is not for an attribute of type boolean",
		`key lt "x"`:                           "lt is not for an attribute of type binary",
		`logins sw "1"`:                        "sw is not for an attribute of type integer",
		`logins eq "x"`:                        "the value is no integer",
		`score eq 1e999`:                       "the value is no decimal",
		`active eq "perhaps"`:                  "the value is no boolean",
		`meta.created gt "yesterday"`:          "the value is no dateTime",
		`name eq "x"`:                          "compared by a sub-attribute",
		`userName gt null`:                     "null has no gt",
		`not (emails[primary ge true])`:        "character 13: ge is not for an attribute of type boolean",
		`userName[value eq "x"]`:               "only a complex attribute has elements",
		scim.EnterpriseSchema + ` eq "x"`:      "compared by a sub-attribute",
		`title pr or emails[primary eq "yes"]`: "character 20: the value is no boolean",
	} {
		f, err := filter.Parse(text, filter.Limits{})
		if err == nil {
			err = f.Check(user())
		}
		refusal := (*scim.Error)(nil)
		if !errors.As(err, &refusal) || refusal.Status != 400 || refusal.ScimType != scim.InvalidFilter ||
			!strings.Contains(refusal.Detail, want) {
			t.Errorf("%.40q: got %v, want %s", text, err, want)
		}
	}
}

func TestLimitsCanBeTighter(t *testing.T) {
	limits := filter.Limits{Length: 30, Depth: 1, Terms: 2}
	for text, want := range map[string]bool{
		`a pr or b pr`:                           true,
		`(a pr) or (b pr)`:                       true,
		`((a pr))`:                               false,
		`(a[b pr])`:                              false,
		`a pr or b pr or c pr`:                   false,
		`a eq "` + strings.Repeat("x", 23) + `"`: true,
		`a eq "` + strings.Repeat("x", 24) + `"`: false,
	} {
		if _, err := filter.Parse(text, limits); (err == nil) != want {
			t.Errorf("%s: got %v, want accepted: %t", text, err, want)
		}
	}
}

func TestAnElementMatchesAValueFilter(t *testing.T) {
	emails, _ := user().Core.Find("emails")
	element := decode(t, `{"value": "Work@example.com", "type": "work", "primary": true}`)
	for text, want := range map[string]bool{
		`type eq "WORK"`:                        true,
		`Type eq "work" and primary eq "True"`:  true,
		`not (value sw "home")`:                 true,
		`display eq null and type eq "work"`:    true,
		`type eq "home" or value co "@example"`: true,
		`type eq "home"`:                        false,
	} {
		f, err := filter.Parse(text, filter.Limits{})
		if err != nil {
			t.Fatal(err)
		}
		if err := f.CheckElement(emails); err != nil {
			t.Error(err)
		}
		if got := f.MatchesElement(emails, element); got != want {
			t.Errorf("%s: got %t, want %t", text, got, want)
		}
	}
	f, err := filter.Parse(`primary gt true`, filter.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	if f.CheckElement(emails) == nil || f.MatchesElement(emails, element) {
		t.Error("gt compared booleans")
	}
}

func TestEqualitiesAreThoseOfAConjunction(t *testing.T) {
	for text, want := range map[string]map[string]any{
		`type eq "work"`: {"type": "work"},
		`(type eq "work" and (primary eq true)) and n eq 1`: {"type": "work", "primary": true, "n": json.Number("1")},
		`type eq "work" and primary eq true and n eq 1`:     {"type": "work", "primary": true, "n": json.Number("1")},
		`type eq "work" and Type eq "work"`:                 {"type": "work", "Type": "work"},
		`type eq "work" and type eq "home"`:                 nil,
		`type eq "work" or type eq "home"`:                  nil,
		`not (type eq "work")`:                              nil,
		`type ne "work"`:                                    nil,
		`type eq null`:                                      nil,
		`emails[type eq "work"]`:                            nil,
	} {
		f, err := filter.Parse(text, filter.Limits{})
		if err != nil {
			t.Fatal(err)
		}
		got, ok := f.Equalities()
		if ok != (want != nil) || !maps.Equal(got, want) {
			t.Errorf("%s: got %v, %t, want %v", text, got, ok, want)
		}
	}
}

// WSO2's and Microsoft's suites send texts without quotes.
func TestATextMayStandWithoutQuotesUnlessStrict(t *testing.T) {
	document := decode(t, jensen)
	for text, want := range map[string]bool{
		`userName eq bjensen@example.com`:                                                     true,
		`userName eq BJensen@example.com and (emails.type eq work)`:                           true,
		`userName sw bjen and not (userName ew nobody)`:                                       true,
		`emails[type eq WORK].value co example`:                                               true,
		`userName eq jensen`:                                                                  false,
		`userName eq 01`:                                                                      false,
		`meta.created gt 2005-10-10T14:38:21.8617979-07:00`:                                   true,
		`userName eq +491710000000 or userName eq bjensen@example.com`:                        true,
		`urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:employeeNumber eq 701984`: true,
		`urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:employeeNumber eq 701985 or userName eq "bjensen@example.com"`: true,
	} {
		f, err := filter.Parse(text, filter.Limits{})
		if err == nil {
			err = f.Check(user())
		}
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if got := f.Matches(user(), document); got != want {
			t.Errorf("%s: got %t, want %t", text, got, want)
		}
	}
	for _, text := range []string{`type eq 'mobile'`, "type eq `mobile`", `type eq “mobile”`, `type eq ‘mobile’`, `type eq „mobile“`, `type eq «mobile»`} {
		if _, err := filter.Parse("phoneNumbers["+text+"]", filter.Limits{}); err == nil || !strings.Contains(err.Error(), "a string in quotes") {
			t.Errorf("other quotes: %s: got %v", text, err)
		}
	}
	for _, text := range []string{`userName eq x`, `userName eq 01`, `userName eq "a" or userName eq nul`} {
		_, err := filter.Parse(text, filter.Limits{Mode: scim.Strict})
		if err == nil || !strings.Contains(err.Error(), "a string in quotes") {
			t.Errorf("strict: %s: got %v", text, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		`userName eq "bjensen"`, `emails[type eq "work" and value co "@example.com"] or not (title pr)`,
		`userName eq bjensen`, `emails[type eq work].value co 01`,
		`urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.value eq "\u00e9"`, `((a pr)`, `a eq 1e5`,
	} {
		f.Add(seed)
	}
	document := decode(f, jensen)
	f.Fuzz(func(t *testing.T, text string) {
		parsed, err := filter.Parse(text, filter.Limits{})
		if refusal := (*scim.Error)(nil); err != nil && !errors.As(err, &refusal) {
			t.Fatalf("got %v", err)
		}
		if err != nil {
			return
		}
		condition, exact := parsed.Narrow(user(), func(string) bool { return true })
		indexing := filter.NewIndexing(user(), everyPath(), nil)
		kept := keeps(condition, indexing.Values(document))
		if matches := parsed.Matches(user(), document); matches && !kept || exact && matches != kept {
			t.Errorf("%q: matches %t, kept %t by %v, exact %t", text, matches, kept, condition, exact)
		}
	})
}

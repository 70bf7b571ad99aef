package doctor

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
)

// Trait is what an identity schema says of the trait with the mobile number
// (https://www.ory.sh/docs/kratos/manage-identities/identity-schema).
type Trait struct {
	Known      bool // the schema has it
	Code       bool // credentials.code: it is an identifier for sign-in by code
	Verifiable bool // verification.via sms: Kratos keeps a verified mark
}

var (
	traitMissing = Rule{
		"trait-missing", Failure, FailsOpen,
		"The identity schema has no trait of the name in kratos.mobile_trait.",
		"Holdline watches that trait alone. If people's numbers are in another one, they change without a code.",
		"Set kratos.mobile_trait to the trait that holds the mobile number, and print the lines for kratos.yml again.",
	}
	traitMissingSome = Rule{
		"trait-missing-from-schema", Warning, FailsOpen,
		"One of several identity schemas lacks the trait with the mobile number.",
		"If identities of that schema have a mobile number in another trait, it changes without a code.",
		"Name the trait alike in all schemas whose identities have a mobile number. One without numbers may stay as it is.",
	}
	codeIdentifier = Rule{
		"trait-code-identifier", Warning, Weakens,
		"The mobile number is an identifier for sign-in by code (credentials.code).",
		"A first number cannot be held back in silence: Holdline stops the form with a message, and other edits have to be made again. And Kratos keeps the identifier of a number that is removed: who has that number can go on signing in.",
		"Leave credentials.code off the trait if nobody signs in by it. Otherwise set identity_mgt.user_claim_update.mobile.removal to deny.",
	}
	traitPlain = Rule{
		"trait-not-verifiable", Warning, Weakens,
		"The mobile number is no verifiable address (verification.via sms).",
		"Kratos keeps no verified mark for it then, lets two people have one number, and asks for no recent sign-in at the form.",
		"Add verification: {via: sms} to the trait's ory.sh/kratos.",
	}
	schemaUnread = Rule{
		"schema-unread", Warning, Weakens,
		"An identity schema could not be looked at.",
		"Whether it has the mobile trait, and what Kratos makes of it, is not known.",
		"Run `holdline doctor` while Kratos runs, or where its files are.",
	}

	schemaRules = []Rule{traitMissing, traitMissingSome, codeIdentifier, traitPlain, schemaUnread}
)

// schemas looks at the identity schemas: those of the running Kratos, or those
// that kratos.yml names.
func (r Realm) schemas(seen *Kratos) []Finding {
	if seen != nil && len(seen.Schemas) > 0 {
		return r.traits(seen.Schemas, true, func(string) Place { return key(r.Keys.MobileTrait) })
	}
	if r.File == nil {
		return nil
	}
	documents, places := map[string]map[string]any{}, map[string]Place{}
	var found []Finding
	list, _ := r.File.value("identity.schemas").([]any)
	for i := range list {
		at := fmt.Sprintf("identity.schemas[%d]", i)
		id, place := r.File.text(at+".id", ""), r.File.place(at)
		document, err := r.File.schema(r.File.text(at+".url", ""))
		if err != nil {
			found = append(found, schemaUnread.at(place, fmt.Sprintf("The schema is %s: %s.", id, err)))
			continue
		}
		documents[id], places[id] = document, place
	}
	return append(found, r.traits(documents, len(found) == 0, func(id string) Place { return places[id] })...)
}

// traits looks at the mobile trait in each schema; all tells whether these are all
// that there are.
func (r Realm) traits(schemas map[string]map[string]any, all bool, place func(id string) Place) []Finding {
	standard := ""
	if r.File != nil {
		standard = r.File.text("identity.default_schema_id", "default")
	}
	some := !all // one that was not read may have it
	described := map[string]Trait{}
	for id, schema := range schemas {
		described[id] = r.Describe(schema)
		some = some || described[id].Known
	}
	var found []Finding
	for _, id := range slices.Sorted(maps.Keys(described)) {
		trait, detail := described[id], fmt.Sprintf("The schema is %s, the trait %s.", id, r.Hook.MobileTrait)
		switch {
		case !trait.Known && (!some || id == standard):
			found = append(found, traitMissing.at(place(id), detail))
		case !trait.Known:
			found = append(found, traitMissingSome.at(place(id), detail))
		case trait.Code:
			found = append(found, codeIdentifier.at(place(id), detail))
		case !trait.Verifiable:
			found = append(found, traitPlain.at(place(id), detail))
		}
	}
	return found
}

// schema reads a schema at base64:// or file://.
func (f *File) schema(address string) (map[string]any, error) {
	var content []byte
	var err error
	switch scheme, rest, _ := strings.Cut(address, "://"); scheme {
	case "base64":
		content, err = base64.StdEncoding.DecodeString(rest)
	case "file":
		content, err = os.ReadFile(f.resolve(address))
	default:
		return nil, errors.New("it is kept at a URL, which only a running Kratos is asked about")
	}
	if err != nil {
		return nil, errors.New("it cannot be read from here")
	}
	var document map[string]any
	if json.Unmarshal(content, &document) != nil {
		return nil, errors.New("it is not JSON")
	}
	return document, nil
}

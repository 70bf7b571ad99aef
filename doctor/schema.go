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
	Identifier bool // credentials: it is one for sign-in, by code or otherwise
	Verifiable bool // verification.via sms: Kratos keeps a verified mark
	Tel        bool // it has the format tel
	Unread     bool // a part of the schema cannot be read, and the rest may be a guess
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
	removedSignsIn = Rule{
		"removed-number-signs-in", Failure, FailsOpen,
		"Who has a removed number can go on signing in with it.",
		"The number is an identifier for sign-in by code (credentials.code), and Kratos keeps the identifier of a number that is removed. Whoever is given that number later signs in as the person who had it.",
		"Set identity_mgt.user_claim_update.mobile.removal to deny, or leave credentials.code off the trait if nobody signs in by it.",
	}
	unguarded = Rule{
		"sign-in-age-unasked", Warning, FailsOpen,
		"Nobody asks for a recent sign-in before a number changes.",
		"Kratos asks for one only where the number is a verifiable address or an identifier, and with a privileged_session_max_age of 0 Holdline asks for none. Who finds an open session can put in a number of their own, and confirm it.",
		"Set kratos.privileged_session_max_age, such as to 15m, or add verification: {via: sms} to the trait's ory.sh/kratos.",
	}
	codeIdentifier = Rule{
		"trait-code-identifier", Warning, Weakens,
		"The mobile number is an identifier for sign-in by code (credentials.code).",
		"A first number cannot be held back in silence: Holdline stops the form with a message, and other edits have to be made again. And Kratos keeps the identifier of a number that is removed, such as at its admin API.",
		"Leave credentials.code off the trait if nobody signs in by it.",
	}
	traitPlain = Rule{
		"trait-not-verifiable", Warning, Weakens,
		"The mobile number is no verifiable address (verification.via sms).",
		"Kratos keeps no verified mark for it then. If it is no identifier for sign-in either, Kratos lets two people have one number, and asks for no recent sign-in at the form.",
		"Add verification: {via: sms} to the trait's ory.sh/kratos.",
	}
	formatTel = Rule{
		"trait-format-tel", Warning, Weakens,
		"The mobile number has the format tel, which Kratos checks before it asks Holdline.",
		"Forms refuse what Holdline would read, such as national numbers, numbers with 00, or numbers that were pasted with invisible characters, and people get a sentence of Kratos' own.",
		"Set the trait's format to no-validate (docs/sms.md).",
	}
	schemaUnread = Rule{
		"schema-unread", Warning, Weakens,
		"An identity schema, or a part of it, could not be looked at.",
		"Whether it has the mobile trait, and what Kratos makes of it, is not known.",
		"Run `holdline doctor` while Kratos runs, or where its files are, and have in the schema itself what it refers to.",
	}

	schemaRules = []Rule{traitMissing, removedSignsIn, traitMissingSome, unguarded, codeIdentifier, traitPlain, formatTel, schemaUnread}
)

// checkSchemas looks at the identity schemas: those of the running Kratos, or those
// that kratos.yml names.
func (r Realm) checkSchemas(seen *Kratos) []Finding {
	if seen != nil && len(seen.Schemas) > 0 {
		return r.checkTrait(seen.Schemas, true, func(string) Place { return key(r.Keys.MobileTrait) })
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
	return append(found, r.checkTrait(documents, len(found) == 0, func(id string) Place { return places[id] })...)
}

// checkTrait looks at the mobile trait in each schema; all reports whether these are all
// that there are.
func (r Realm) checkTrait(schemas map[string]map[string]any, all bool, place func(id string) Place) []Finding {
	some := !all // one that was not read may have it
	described := map[string]Trait{}
	for id, schema := range schemas {
		described[id] = r.Describe(schema)
		some = some || described[id].Known
	}
	var found []Finding
	for _, id := range slices.Sorted(maps.Keys(described)) {
		trait, detail := described[id], fmt.Sprintf("The schema is %s, the trait %s.", id, r.Hook.MobileTrait)
		report := func(broken bool, rule Rule) {
			if broken {
				found = append(found, rule.at(place(id), detail))
			}
		}
		switch {
		case trait.Unread:
			report(true, schemaUnread)
		case !trait.Known && !some:
			report(true, traitMissing)
		case !trait.Known:
			report(true, traitMissingSome)
		default:
			report(trait.Code && !r.RemovalDenied, removedSignsIn)
			report(trait.Code, codeIdentifier)
			report(!trait.Verifiable, traitPlain)
			report(trait.Tel && !trait.Code, formatTel) // of a code identifier Kratos reads the number itself
			report(!trait.Verifiable && !trait.Identifier && r.SessionAge == 0, unguarded)
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

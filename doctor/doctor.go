package doctor

import (
	"slices"
	"time"

	"github.com/holdline/holdline/hook"
)

// Evidence is all that is known.
type Evidence struct {
	Setup  Setup
	Realms []Realm // the primary one first
	Live   *Live   // nil if no server was asked
	// Serving tells that the program that serves looks, which has no kratos.yml.
	Serving bool
}

// Realm is a Kratos, as Holdline is configured for it.
type Realm struct {
	Name string
	File *File      // its kratos.yml; nil if it was not given
	Key  string     // its place in Holdline's configuration: "kratos", or "realms[0]"
	Keys RealmKeys  // of settings that findings name
	Hook hook.Setup // what kratos-config prints the lines of; no JsonnetDir
	// PreviousKey is a hook key that is still taken; blank for none.
	PreviousKey string

	PublicURL, BrowserURL, AdminURL string
	SessionCookie                   string
	SessionAge                      time.Duration // oldest sign-in that may change a number; 0 for any
	RemovalDenied                   bool          // people may not remove their number
	AnyFactor                       bool          // no second factor is asked for, kratos.required_aal is aal1
	// Page is the address of Holdline's page for codes, as browsers reach it.
	Page string
	// Sites are the origins whose pages may call the user API.
	Sites []string
	// PublicListener is where Holdline's public listener is, as host:port.
	PublicListener string
	// Describe reads what a schema says of the mobile trait.
	Describe func(schema map[string]any) Trait
}

// RealmKeys are the names of a realm's settings in Holdline's configuration.
type RealmKeys struct{ HookKey, SessionCookie, MobileTrait string }

// Examine runs all checks. The findings come in order: failures first, and among
// them what fails open.
func Examine(e Evidence) []Finding {
	found := slices.Concat(CheckConfig(e.Setup), e.checkSCIM())
	if e.Live != nil {
		found = append(found, e.Live.check(e.Setup)...)
	}
	for _, realm := range e.Realms {
		own := realm.check(e.Live.kratos(realm.Name), e.Serving)
		if len(e.Realms) > 1 {
			for i := range own {
				own[i].Realm = realm.Name
			}
		}
		found = append(found, own...)
	}
	return order(found)
}

// checkSCIM looks at numbers that come by SCIM. What the database has wins over
// the configuration.
func (e Evidence) checkSCIM() []Finding {
	onRequest := e.Setup.OnRequest
	if e.Live != nil && e.Live.Database.Err == nil {
		onRequest = e.Live.Database.OnRequest
	}
	if !e.Setup.SCIM || !onRequest {
		return nil
	}
	return []Finding{scimWithoutCode.at(key("identity_mgt.user_claim_update.use_verify_claim"), "")}
}

// check looks at a realm; seen is nil if its servers were not asked.
func (r Realm) check(seen *Kratos, serving bool) []Finding {
	var found []Finding
	if seen != nil {
		found = append(found, r.checkKratos(*seen)...)
	}
	if r.File == nil {
		if !serving {
			found = append(found, notGiven.at(key(r.Key), "The realm is "+r.Name+"."))
		}
		return append(found, r.checkSchemas(seen)...)
	}
	wanted, err := r.printedHooks()
	if err != nil {
		return append(found, notGiven.at(key(r.Key), err.Error()))
	}
	found = append(found, r.checkHookOrder(r.File.hooks(profileHooks, wanted), wanted)...)
	for _, h := range r.hookEntries(wanted) {
		found = append(found, r.checkHookCall(h, wanted[h.role], seen)...)
		found = append(found, r.checkHookBody(h, wanted[h.role])...)
	}
	found = append(found, r.checkIdentityHooks(wanted)...)
	found = append(found, r.checkFlows()...)
	return append(found, r.checkSchemas(seen)...)
}

package doctor

import (
	"slices"
	"time"

	"github.com/holdline/holdline/hook"
)

// View is all that is known.
type View struct {
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
	// PublicListener is where Holdline's public listener is, as host:port.
	PublicListener string
	// Describe reads what a schema says of the mobile trait.
	Describe func(schema map[string]any) Trait
}

// RealmKeys are the names of a realm's settings in Holdline's configuration.
type RealmKeys struct{ HookKey, SessionCookie, MobileTrait string }

// Examine runs all checks. The findings come in order: failures first, and among
// them what fails open.
func Examine(v View) []Finding {
	found := slices.Concat(Own(v.Setup), v.provisioned())
	if v.Live != nil {
		found = append(found, v.Live.check(v.Setup)...)
	}
	for _, realm := range v.Realms {
		own := realm.check(v.Live.kratos(realm.Name), v.Serving)
		if len(v.Realms) > 1 {
			for i := range own {
				own[i].Realm = realm.Name
			}
		}
		found = append(found, own...)
	}
	return order(found)
}

// provisioned looks at numbers that come by SCIM. What the database has wins over
// the configuration.
func (v View) provisioned() []Finding {
	onRequest := v.Setup.OnRequest
	if v.Live != nil && v.Live.Database.Err == nil {
		onRequest = v.Live.Database.OnRequest
	}
	if !v.Setup.SCIM || !onRequest {
		return nil
	}
	return []Finding{scimWithoutCode.at(key("identity_mgt.user_claim_update.use_verify_claim"), "")}
}

// check looks at a realm; seen is nil if its servers were not asked.
func (r Realm) check(seen *Kratos, serving bool) []Finding {
	var found []Finding
	if seen != nil {
		found = append(found, r.reach(*seen)...)
	}
	if r.File == nil {
		if !serving {
			found = append(found, notGiven.at(key(r.Key), "The realm is "+r.Name+"."))
		}
		return append(found, r.schemas(seen)...)
	}
	wanted, err := r.wanted()
	if err != nil {
		return append(found, notGiven.at(key(r.Key), err.Error()))
	}
	found = append(found, r.placed(r.File.hooks(profileHooks, wanted), wanted)...)
	for _, h := range r.ours(wanted) {
		found = append(found, r.calls(h, wanted[h.role], seen)...)
		found = append(found, r.says(h, wanted[h.role])...)
	}
	found = append(found, r.tells(wanted)...)
	found = append(found, r.flows()...)
	return append(found, r.schemas(seen)...)
}

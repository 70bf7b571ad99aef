package doctor

import (
	"fmt"
	"strings"
)

// Trial is what was seen of a change of number that was tried, with an identity made for
// it.
type Trial struct {
	Realm    string `json:"realm"`
	Identity string `json:"identity,omitempty"` // deleted since; blank if none was made
	// Failed says why nothing can be said; blank if all of it was seen.
	Failed string `json:"failed,omitempty"`
	// Refused is what Kratos said where it did not store the form.
	Refused string `json:"refused,omitempty"`
	Written bool   `json:"written"` // the new number is stored
	Kept    bool   `json:"kept"`    // the old number is
	Shown   bool   `json:"shown"`   // the new one is shown as pending
	// StillVerified tells that the old number is marked verified, as it was where the schema
	// makes it Verifiable.
	Verifiable    bool `json:"-"`
	StillVerified bool `json:"still_verified"`
	// Staged and Activated count the calls of the hooks that came to this Holdline, which
	// held the number back if Held.
	Staged    int      `json:"staged"`
	Activated int      `json:"activated"`
	Held      bool     `json:"held"`
	Left      string   `json:"left,omitempty"`      // why the identity was not deleted
	Abandoned []string `json:"abandoned,omitempty"` // identities of earlier runs, deleted now
	Complete  bool     `json:"-"`
}

var (
	tryWritten = Rule{
		"try-written-at-once", Failure, FailsOpen,
		"Kratos stored a changed number at once, without a code.",
		"So it does for everybody. What kratos.yml says does not matter while the running Kratos goes by something else.",
		"Give Kratos what `holdline kratos-config` prints, and restart it.",
	}
	tryElsewhere = Rule{
		"try-other-holdline", Failure, NotWorking,
		"Something else than this Holdline held the number back.",
		"Kratos calls another Holdline, or one with another database: its codes are not taken here, and its limits are its own.",
		"Set the hooks' URLs in kratos.yml as this Holdline's `kratos-config` prints them, and restart Kratos.",
	}
	tryRefused = Rule{
		"try-refused", Failure, NotWorking,
		"Kratos refused to change the number.",
		"So it does for everybody.",
		"Look at what Kratos says, and at its log and Holdline's at this moment.",
	}
	tryNotActivated = Rule{
		"try-not-activated", Failure, NotWorking,
		"The number is held back, and its code would go out late or never.",
		"Kratos did not call the activate hook. Without it Holdline finds out by itself only later, and not always.",
		"Give Kratos both hooks that `holdline kratos-config` prints, in their order, and restart it.",
	}
	tryUnmarked = Rule{
		"try-old-number-unverified", Failure, NotWorking,
		"The old number is not marked verified any more.",
		"A number that is only to be held back has lost its mark, and with it what it is good for.",
		"Print the lines for kratos.yml again: the stage hook's jsonnet has to hand the addresses over.",
	}
	tryUnshown = Rule{
		"try-not-shown", Warning, Weakens,
		"The number that is pending is not shown in the profile.",
		"People cannot see that a code is awaited.",
		"Let nothing else that Kratos calls after the stage hook replace metadata_public.",
	}
	tryLeft = Rule{
		"try-identity-left", Failure, NotWorking,
		"The identity that was made for the trial could not be deleted.",
		"It has a password that nobody knows, and a number that nobody can have. The next run deletes it, if it can.",
		"Delete it at Kratos' admin API.",
	}

	tryRules = []Rule{tryWritten, tryElsewhere, tryRefused, tryNotActivated, tryUnmarked, tryLeft, tryUnshown}
)

// CheckTrial rules on a trial of the realm.
func (r Realm) CheckTrial(t Trial) []Finding {
	place := key(r.Key + ".public_url")
	if r.File != nil {
		place = r.File.place(profileHooks)
	}
	asked := "No call of the stage hook came to this Holdline."
	if t.Staged > 0 {
		asked = "The stage hook was called."
	}
	var found []Finding
	switch {
	case !t.Complete:
	case t.Written && t.Staged > 0 && !t.Held:
		found = append(found, verificationOff.at(key("identity_mgt.user_claim_update.mobile.enable_verification"), ""))
	case t.Written && t.Held:
		found = append(found, tryWritten.at(place, asked+" Its answer was not heeded.", "response: {parse: true}"))
	case t.Written:
		found = append(found, tryWritten.at(place, asked, r.lines(stage)...))
	case t.Refused != "":
		found = append(found, tryRefused.at(place, "It says: "+strings.TrimSuffix(t.Refused, ".")+". "+asked, r.lines(stage)...))
	case t.Kept && t.Staged == 0:
		found = append(found, tryElsewhere.at(place, asked, r.lines(stage)...))
	default:
		found = append(found, r.checkHeld(t, place)...)
	}
	if t.Left != "" {
		found = append(found, tryLeft.at(key(r.Key+".admin_url"), fmt.Sprintf("Its id is %s. %s", t.Identity, sentence(fmt.Errorf("%s", t.Left)))))
	}
	return found
}

// checkHeld rules on a number that this Holdline held back.
func (r Realm) checkHeld(t Trial, place Place) []Finding {
	var found []Finding
	if !t.Shown {
		return []Finding{tryUnshown.at(place, "")}
	}
	if t.Activated == 0 {
		found = append(found, tryNotActivated.at(place, "", r.lines(activate)...))
	}
	if t.Verifiable && !t.StillVerified {
		found = append(found, tryUnmarked.at(place, ""))
	}
	return found
}

// lines are those that kratos.yml should have for a hook.
func (r Realm) lines(of role) []string {
	wanted, err := r.printedHooks()
	if err != nil {
		return nil
	}
	return wanted[of].lines()
}

// write is a trial for people.
func (t Trial) write(out *strings.Builder) {
	fmt.Fprintf(out, "TRIED  realm %s\n", t.Realm)
	result := "held back: the old number stays in force until the code comes"
	switch {
	case t.Failed != "":
		result = "could not be tried: " + t.Failed
	case t.Written:
		result = "stored at once"
	case t.Refused != "":
		result = "refused"
	case t.Staged == 0:
		result = "held back, by something else than this Holdline"
	}
	paragraph(out, "result", result)
	if len(t.Abandoned) > 0 {
		paragraph(out, "deleted", "what earlier runs left: "+strings.Join(t.Abandoned, ", "))
	}
	out.WriteByte('\n')
}

// AlsoRuns are what the trial's sign-in and form set off in a kratos.yml beside Holdline's
// hooks, each with its list; nil if no file was given.
func (r Realm) AlsoRuns() []string {
	wanted, err := r.printedHooks()
	if r.File == nil || err != nil {
		return nil
	}
	var all []string
	for _, list := range []string{
		"login.before.hooks", "login.after.hooks", "login.after.password.hooks",
		"settings.before.hooks", "settings.after.hooks", "settings.after.profile.hooks",
	} {
		for _, h := range r.File.hooks("selfservice.flows."+list, wanted) {
			if h.role == foreign {
				all = append(all, strings.TrimSpace(list+": "+h.kind+" "+Bare(h.url)))
			}
		}
	}
	return all
}

// TraitMissing is the finding that the schema of new identities lacks the mobile trait.
func (r Realm) TraitMissing(schema string) Finding {
	return traitMissing.at(key(r.Keys.MobileTrait), fmt.Sprintf("The schema is %s, the trait %s.", schema, r.Hook.MobileTrait))
}

// DefaultSchema is the id of the schema that kratos.yml makes identities of; blank if it
// does not say.
func (r Realm) DefaultSchema() string {
	if r.File == nil {
		return ""
	}
	return r.File.text("identity.default_schema_id", "")
}

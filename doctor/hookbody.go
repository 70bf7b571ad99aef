package doctor

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
)

var (
	jsonnetCancels = Rule{
		"jsonnet-cancels", Failure, FailsOpen,
		"The stage hook's jsonnet cancels the call although the number changes.",
		"Holdline does not hear of the change: the new number is stored without a code. So it is after kratos.mobile_trait was changed and the lines were not printed again.",
		"Print the lines again with `holdline kratos-config`, and replace the hook's body.",
	}
	jsonnetWrong = Rule{
		"jsonnet-wrong", Failure, NotWorking,
		"A hook's jsonnet does not tell Holdline what it needs.",
		"Holdline refuses the change, or never sends its code.",
		"Print the lines again with `holdline kratos-config`, and replace the hook's body.",
	}
	traitsOnly = Rule{
		"jsonnet-without-addresses", Failure, NotWorking,
		"The stage hook's jsonnet leaves verifiable_addresses out.",
		"Holdline cannot hand the old number's address back: the old number loses its verified mark. With Kratos' own verification on, Kratos texts a code to the old number as well.",
		"Print the lines again with `holdline kratos-config`, and replace the hook's body.",
	}
	cookiesInBody = Rule{
		"jsonnet-cookies", Warning, Weakens,
		"A hook's jsonnet passes cookies on.",
		"Kratos hands the session cookie to jsonnet. Whoever reads the call can act as the person who made it.",
		"Print the lines again with `holdline kratos-config`, and replace the hook's body: it passes on only what is needed.",
	}
	jsonnetDiffers = Rule{
		"jsonnet-differs", Warning, Weakens,
		"A hook's jsonnet is not the one that `holdline kratos-config` prints.",
		"It is of another version, for other settings, or was edited. What Holdline cannot do without is there.",
		"Print the lines again, and replace the hook's body.",
	}
	jsonnetUnread = Rule{
		"jsonnet-unread", Warning, Weakens,
		"A hook's jsonnet could not be looked at.",
		"Whether a change of number reaches Holdline depends on it.",
		"Run `holdline doctor` where Kratos' files are, or have the jsonnet in kratos.yml itself.",
	}
	headersAllowed = Rule{
		"hook-headers-allowed", Warning, Weakens,
		"Kratos hands headers with credentials to the templates of web hooks.",
		"clients.web_hook.header_allowlist names them. Holdline's own jsonnet does not pass them on, that of other hooks may.",
		"Take the header off the list.",
	}

	jsonnetRules = []Rule{jsonnetCancels, jsonnetWrong, traitsOnly, cookiesInBody, headersAllowed, jsonnetDiffers, jsonnetUnread}
)

// needed are the members of a body that Holdline cannot do without.
var needed = map[role][]string{
	stage: {
		"identity_id", "flow_id", "schema_id", "old_mobile", "new_mobile", "pending_mobile", "traits", "metadata_public",
		"verifiable_addresses",
	},
	activate: {"identity_id", "flow_id", "new_mobile", "pending_mobile"},
	changed:  {"identity_id"},
}

// checkHookBody compares what a hook's jsonnet makes of flows with what the printed one
// makes of them. How it is written does not matter.
func (r Realm) checkHookBody(h, wanted webHook) []Finding {
	if h.body == wanted.body {
		return nil
	}
	place := r.File.place(h.key + ".config.body")
	printed, err := r.File.source(wanted.body)
	if err != nil {
		return []Finding{jsonnetUnread.at(place, err.Error())}
	}
	source, err := r.File.source(h.body)
	switch {
	case h.body == "":
		return []Finding{jsonnetWrong.at(place, "The hook has no body.")}
	case err != nil:
		return []Finding{jsonnetUnread.at(place, fmt.Sprintf("The %s hook: %s.", h.role, err))}
	case strings.TrimSpace(source) == strings.TrimSpace(printed):
		return nil
	}
	return r.compare(h.role, source, printed, place)
}

// compare reports the worst of what differs, and cookies beside it.
func (r Realm) compare(of role, source, printed string, place Place) []Finding {
	var found []Finding
	rank := []string{jsonnetCancels.ID, jsonnetWrong.ID, traitsOnly.ID, jsonnetDiffers.ID}
	for _, s := range r.samples() {
		want, wantErr := evaluate(printed, s.flow)
		got, err := evaluate(source, s.flow)
		if strings.Contains(fmt.Sprint(got), cookie) {
			found = append(found, cookiesInBody.at(place, ""))
		}
		rule, detail := judge(of, got, want, err, wantErr)
		if rule.ID == traitsOnly.ID && r.File.isOn("selfservice.flows.verification.enabled", false) {
			detail = "Kratos' own verification is on."
		}
		if rule.ID != "" {
			found = append(found, rule.at(place, strings.TrimSpace(detail+" Seen with "+s.what+".")))
		}
		if errors.Is(err, errSlow) {
			break
		}
	}
	worst := func(f Finding) int { return slices.Index(rank, f.ID) }
	slices.SortStableFunc(found, func(a, b Finding) int { return worst(a) - worst(b) }) // cookies first
	var kept []Finding
	for _, f := range found {
		if len(kept) == 0 || kept[len(kept)-1].ID == cookiesInBody.ID && f.ID != cookiesInBody.ID {
			kept = append(kept, f)
		}
	}
	return kept
}

// judge compares what two templates make of one flow. A zero rule means that they
// agree.
func judge(of role, got, want map[string]any, err, wantErr error) (Rule, string) {
	cancelled, wanted := errors.Is(err, errCancelled), errors.Is(wantErr, errCancelled)
	switch {
	case cancelled && wanted:
		return Rule{}, ""
	case err != nil && !cancelled:
		return jsonnetWrong, fmt.Sprintf("The %s hook's template: %s.", of, err)
	case wanted && of != changed:
		return jsonnetDiffers, "It calls Holdline where nothing is to be told, so that a form without a change of number depends on Holdline."
	case cancelled && of == stage:
		return jsonnetCancels, ""
	case cancelled:
		return jsonnetWrong, "It cancels the " + string(of) + " call."
	}
	for _, member := range needed[of] {
		if reflect.DeepEqual(got[member], want[member]) {
			continue
		}
		if member == "verifiable_addresses" {
			return traitsOnly, ""
		}
		return jsonnetWrong, fmt.Sprintf("The %s hook's %s is another, or is missing.", of, member)
	}
	if !reflect.DeepEqual(got, want) {
		return jsonnetDiffers, "The " + string(of) + " hook's body has more or less than the printed one."
	}
	return Rule{}, ""
}

package doctor

import (
	"fmt"
	"slices"
)

var (
	parseHookGlobal = Rule{
		"parse-hook-global", Failure, FailsOpen,
		"Holdline's stage hook stands in the global list of the settings flow.",
		"Kratos runs no parse hook of that list, and does not say so: a new number is stored at once, without a code.",
		"Move Holdline's hooks to " + profileHooks + ".",
	}
	hooksOtherMethod = Rule{
		"hooks-wrong-method", Failure, FailsOpen,
		"Holdline's stage hook stands under another method than profile.",
		"The number is changed by the method profile. Hooks of other methods do not run then: a new number is stored at once, without a code.",
		"Move Holdline's hooks to " + profileHooks + ".",
	}
	stageMissing = Rule{
		"stage-hook-missing", Failure, FailsOpen,
		"The stage hook is missing where profiles are saved.",
		"Nobody holds a new number back: it is stored at once, without a code.",
		"Merge what `holdline kratos-config` prints into kratos.yml. Lists are replaced when files are merged: a list of your own in a later file drops Holdline's.",
	}
	activateMissing = Rule{
		"activate-hook-missing", Failure, NotWorking,
		"The stage hook stands there without the activate hook.",
		"Nobody tells Holdline that a form was stored. Codes go out late, when Holdline looks by itself, and none where the same number was pending before. The global list does not run either, once the method has a hook.",
		"Put the activate hook behind the stage hook.",
	}
	stageNotParsed = Rule{
		"stage-hook-not-parsed", Failure, FailsOpen,
		"The stage hook has no response.parse.",
		"Kratos calls it after the identity is stored and does not read the answer: the new number is stored without a code.",
		"Set response.parse of the stage hook, and nothing else there.",
	}
	stageInterrupts = Rule{
		"stage-hook-can-interrupt", Failure, FailsOpen,
		"The stage hook has can_interrupt in place of response.parse.",
		"Kratos heeds a refusal then, but does not read the identity in a good answer, which has the old number: the new one is stored without a code.",
		"Replace can_interrupt by response.parse.",
	}
	ignoreWithParse = Rule{
		"ignore-with-parse", Failure, NotWorking,
		"A hook has response.ignore together with response.parse or can_interrupt.",
		"Kratos takes that for a fault, and does not start.",
		"Give the stage hook response.parse alone, the others response.ignore alone.",
	}
	activateEarly = Rule{
		"activate-hook-before-store", Failure, NotWorking,
		"The activate hook has response.parse or can_interrupt.",
		"Kratos calls it before the identity is stored, and never after. A code goes out for a form that may yet be refused, and Kratos waits for the call.",
		"Give the activate hook response.ignore alone.",
	}
	activateBlocks = Rule{
		"activate-hook-blocks", Warning, Weakens,
		"The activate hook has no response.ignore.",
		"The identity is stored by then. If Holdline cannot be reached at that moment, people see an error (502) for a form that was saved.",
		"Set response.ignore of the activate hook.",
	}
	hookOrder = Rule{
		"hook-order", Warning, Weakens,
		"Holdline's hooks are not in the printed order.",
		"Kratos v1.3 and v26.2 run all hooks with response.parse first and the others after the identity is stored, so this works there. Another version may go by the order.",
		"Put the stage hook first and the activate hook behind it.",
	}
	parseAfterStage = Rule{
		"parse-hook-after-stage", Warning, FailsOpen,
		"Another hook with response.parse or can_interrupt stands behind the stage hook.",
		"Kratos takes its answer after Holdline's. If it answers with traits that have the new number, that one is stored without a code.",
		"Put it before the stage hook.",
	}
	twoVerifiers = Rule{
		"verify-new-address", Warning, FailsOpen,
		"Kratos' own verify_new_address stands in the list with Holdline's hooks.",
		"By Kratos' source (it was not measured) it keeps the proposed traits itself, and writes them once its own code was entered: without Holdline, and with the new number.",
		"Take verify_new_address out of the list, or Holdline's hooks.",
	}

	placeRules = []Rule{
		parseHookGlobal, hooksOtherMethod, stageMissing, stageNotParsed, stageInterrupts, parseAfterStage, twoVerifiers,
		activateMissing, ignoreWithParse, activateEarly, activateBlocks, hookOrder,
	}
)

// checkHookOrder looks at where the hooks of settings stand, and when Kratos runs them.
func (r Realm) checkHookOrder(hooks []webHook, wanted map[role]webHook) []Finding {
	if !r.File.isOn("selfservice.methods.profile.enabled", true) {
		return nil // no form changes a number
	}
	first := slices.IndexFunc(hooks, func(h webHook) bool { return h.role == stage })
	if first < 0 {
		return r.misplacedStage(wanted)
	}
	var found []Finding
	report := func(rule Rule, h webHook, below string, lines ...string) {
		found = append(found, rule.at(r.File.place(h.key+below), "", lines...))
	}
	for i, h := range hooks {
		switch {
		case h.role != foreign && h.ignore && h.beforeStore():
			report(ignoreWithParse, h, ".config.response")
		case h.role == stage && h.canInterrupt && !h.parse:
			report(stageInterrupts, h, ".config.can_interrupt", "response: {parse: true}")
		case h.role == stage && !h.parse:
			report(stageNotParsed, h, ".config.response", "response: {parse: true}")
		case h.role == activate && h.beforeStore():
			report(activateEarly, h, ".config", "response: {ignore: true}")
		case h.role == activate && !h.ignore:
			report(activateBlocks, h, ".config.response", "response: {ignore: true}")
		case h.kind == "verify_new_address":
			report(twoVerifiers, h, "")
		case h.role == foreign && i > first && h.beforeStore():
			report(parseAfterStage, h, "")
		}
	}
	switch at := slices.IndexFunc(hooks, func(h webHook) bool { return h.role == activate }); {
	case at < 0:
		found = append(found, activateMissing.at(r.File.place(profileHooks), "", wanted[activate].lines()...))
	case at < first:
		report(hookOrder, hooks[at], "")
	}
	return found
}

// misplaced says where the stage hook is, if not under profile.
func (r Realm) misplacedStage(wanted map[role]webHook) []Finding {
	if elsewhere := of(stage, r.File.hooks(globalHooks, wanted)); len(elsewhere) > 0 {
		return []Finding{parseHookGlobal.at(r.File.place(elsewhere[0].key), "", "profile: {hooks: […]}")}
	}
	methods, _ := r.File.value(settingsAfter).(map[string]any)
	for _, method := range sorted(methods) {
		list := settingsAfter + "." + method + ".hooks"
		if elsewhere := of(stage, r.File.hooks(list, wanted)); len(elsewhere) > 0 {
			return []Finding{hooksOtherMethod.at(r.File.place(elsewhere[0].key), "", "profile: {hooks: […]}")}
		}
	}
	return []Finding{stageMissing.at(r.File.place(profileHooks), "", append(wanted[stage].lines(), wanted[activate].lines()...)...)}
}

// lines are a hook as it stands in kratos.yml, without its key.
func (h webHook) lines() []string {
	response := "ignore"
	if h.parse {
		response = "parse"
	}
	return []string{
		"- hook: web_hook",
		fmt.Sprintf("  config: {url: %q, method: %s, body: …, response: {%s: true}, auth: …}", h.url, h.method, response),
	}
}

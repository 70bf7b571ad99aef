package userapi

const (
	scenarioKey    = "RecoveryScenario"
	updateScenario = "MOBILE_VERIFICATION_ON_UPDATE"
)

// property is a name and a value, as {"key": name, "value": value} or as
// {name: value}. Only the scenario means anything here.
type property map[string]string

// scenario returns the recovery scenario that the property names, if it does.
func (p property) scenario() (string, bool) {
	if p["key"] == scenarioKey {
		return p["value"], true
	}
	value, named := p[scenarioKey]
	return value, named
}

type properties []property

// askForUpdate reports whether the scenario is named, once, and is the only one
// that there is. Other properties have no say in what is sent to whom.
func (all properties) askForUpdate() bool {
	named := 0
	for _, p := range all {
		scenario, isScenario := p.scenario()
		if !isScenario {
			continue
		}
		if scenario != updateScenario {
			return false
		}
		named++
	}
	return named == 1
}

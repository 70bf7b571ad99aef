package config

import (
	"fmt"
	"time"
)

// Traffic says what looks like texts that only their cost is meant for, and what
// becomes of it.
type Traffic struct {
	Mode         string          `koanf:"mode" usage:"off, record (say it in the log) or enforce (stop it as well)"`
	TextsPerHour int             `koanf:"texts_per_calling_code_per_hour" usage:"budget of each calling code; 0 for none"`
	Budgets      []TrafficBudget `koanf:"budgets" usage:"budgets of single calling codes instead, as JSON"`
	MinShare     float64         `koanf:"min_confirmed_share" usage:"share of the texted codes that must be confirmed, 0 to 1"`
	MinTexts     int             `koanf:"min_texts" usage:"texts to a calling code from which on its share counts; 0 for never"`
	Window       time.Duration   `koanf:"window" usage:"how far back the share is counted"`
}

// TrafficBudget is the budget of one calling code.
type TrafficBudget struct {
	CallingCode  string `koanf:"calling_code" usage:"country calling code without +, such as 882"`
	TextsPerHour int    `koanf:"texts_per_hour" usage:"its budget; 0 for none"`
}

// longestWindow is what claims.retention keeps at least.
const longestWindow = 24 * time.Hour

func (c Config) checkTraffic(f *faults) {
	t, validity := c.Traffic, c.Feature.Update.Mobile.Validity
	f.oneOf("traffic.mode", t.Mode, "off", "record", "enforce")
	f.unless(t.TextsPerHour >= 0, "traffic.texts_per_calling_code_per_hour", "must not be negative")
	f.unless(t.MinShare >= 0 && t.MinShare <= 1, "traffic.min_confirmed_share", "must be from 0 to 1")
	f.unless(t.MinTexts >= 0, "traffic.min_texts", "must not be negative")
	if t.Mode != "off" {
		f.unless(t.Window > validity && t.Window <= longestWindow, "traffic.window",
			"must be longer than a code is good, and at most 24h")
	}
	seen := map[string]bool{}
	for i, b := range t.Budgets {
		at := fmt.Sprintf("traffic.budgets[%d].", i)
		f.unless(!seen[b.CallingCode], at+"calling_code", "is named twice")
		f.unless(b.TextsPerHour >= 0, at+"texts_per_hour", "must not be negative")
		seen[b.CallingCode] = true
	}
}

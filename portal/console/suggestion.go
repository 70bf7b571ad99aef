package console

import (
	"context"
	"strings"

	"github.com/holdline/holdline/internal/admin"
	"github.com/holdline/holdline/internal/fraud"
	"github.com/holdline/holdline/internal/phone"
	"github.com/holdline/holdline/internal/settings"
)

// suggestion is what traffic control might be set to, in words.
type suggestion struct {
	admin.Suggestion
	AllowNow, DenyNow   string // the values of the lists, as the form of the settings has them
	AllowNext, DenyNext string
	Budgeted            bool // budgets are kept already
}

func (s *console) suggestion(ctx context.Context) (suggestion, error) {
	found, err := s.Admin.Suggest(ctx)
	if err != nil {
		return suggestion{}, err
	}
	shown := suggestion{Suggestion: found, AllowNext: strings.Join(found.Allow, ", "), DenyNext: strings.Join(found.Deny, ", ")}
	for _, f := range s.settingFields() {
		switch f.Key { //nolint:exhaustive // the others are no lists
		case settings.AllowedCodes:
			shown.AllowNow = f.Value
		case settings.DeniedCodes:
			shown.DenyNow = f.Value
		}
	}
	traffic := s.Policy().Traffic
	shown.Budgeted = traffic.Mode == fraud.Enforce && traffic.Budget > 0
	return shown, nil
}

// Why says why nothing is suggested; blank where something is.
func (s suggestion) Why() string {
	switch s.Missing {
	case fraud.MissingDays:
		return "No suggestion yet: changes have been counted for " + plural(s.Days, "day") + ", and it takes seven to know what is usual."
	case fraud.MissingTraffic:
		return "No suggestion yet: " + plural(s.Confirmed, "confirmed change") + " in " + plural(s.Days, "day") + ", and it takes a hundred to judge by."
	case fraud.MissingNothing:
		return "Texts go to no more countries than nearly all of the changes of the last " + plural(s.Days, "day") + " that were confirmed."
	default:
		return ""
	}
}

func plural(n int, of string) string {
	if n == 1 {
		return "1 " + of
	}
	return counted(n) + " " + of + "s"
}

// Usual names the countries of what is suggested.
func (s suggestion) Usual() string { return countries(s.Suggestion.Suggestion.Allow) }

// Rest names those that are texted now, and would not be.
func (s suggestion) Rest() string { return counts(s.Others) }

// Odd names those that are asked for without anybody who confirms.
func (s suggestion) Odd() string { return counts(s.Unsound) }

// Shared names a calling code of what is suggested that several countries have; blank for none.
func (s suggestion) Shared() string {
	for _, code := range s.Allow {
		if len(phone.RegionsOf(code)) > 1 {
			return codeAndCountry(code)
		}
	}
	return ""
}

func countries(seen []fraud.Seen) string {
	names := make([]string, len(seen))
	for i, s := range seen {
		names[i] = codeAndCountry(s.CallingCode)
	}
	return strings.Join(names, ", ")
}

func counts(seen []fraud.Seen) string {
	names := make([]string, len(seen))
	for i, s := range seen {
		names[i] = codeAndCountry(s.CallingCode) + " (" + counted(s.Confirmed) + " of " + counted(s.Requested) + ")"
	}
	return strings.Join(names, ", ")
}

package console

import (
	"fmt"
	"html/template"
	"strings"
	"time"

	"github.com/holdline/holdline/internal/admin"
	"github.com/holdline/holdline/internal/audit"
	"github.com/holdline/holdline/internal/auth"
	"github.com/holdline/holdline/internal/claim"
	"github.com/holdline/holdline/internal/message"
	"github.com/holdline/holdline/internal/phone"
	"github.com/holdline/holdline/internal/scim/groups"
	"github.com/holdline/holdline/internal/settings"
)

// funcs are the words and forms that templates use.
func funcs(now func() time.Time) template.FuncMap {
	return template.FuncMap{
		"brief":       func(t time.Time) string { return brief(t, now()) },
		"claimBadge":  claimBadge,
		"claimState":  claimState,
		"claimMeans":  claimMeans,
		"textBadge":   textBadge,
		"textName":    textName,
		"deniedWords": deniedWords,
		"kindName":    kindName,
		"actorName":   func(k audit.ActorKind) string { return actorNames[k] },
		"realm":       func(id string) string { realm, _ := claim.SplitRealm(id); return realm },
		"inRealm":     func(id string) string { _, own := claim.SplitRealm(id); return own },
		"short":       short,
		"personPath":  func(id string) template.URL { return template.URL(personPath(id)) }, //nolint:gosec // escaped there
		"stored":      phone.FromStore,
		"shortName":   shortName,
		"span":        span,
	}
}

// brief writes a moment for a table: the year only if it is not this one.
func brief(t, now time.Time) string {
	if t, now = t.UTC(), now.UTC(); t.Year() != now.Year() {
		return t.Format("2 Jan 2006 15:04")
	}
	return t.Format("2 Jan 15:04:05")
}

// short cuts an id to what still tells rows apart.
func short(id string) string {
	const shown = 8
	if runes := []rune(id); len(runes) > shown+1 {
		return string(runes[:shown]) + "…"
	}
	return id
}

// shortName cuts names of tokens only where they would stretch a table; those of
// people are ids.
func shortName(name string) string {
	const longest = 32
	if len(name) > longest {
		return short(name)
	}
	return name
}

// span writes a duration without its zeros.
func span(d time.Duration) string {
	const day = 24 * time.Hour
	switch {
	case d == 0:
		return "0"
	case d%day == 0 && d > day:
		return fmt.Sprintf("%d days", d/day)
	}
	text := d.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}

// states are in the order of a claim's life.
var states = []claim.State{
	claim.Staged, claim.Open, claim.Verified, claim.Applied, claim.Superseded, claim.Cancelled, claim.Locked,
	claim.Lapsed, claim.Conflict, claim.Orphaned, claim.Discarded,
}

var stateMeans = map[claim.State]string{
	claim.Staged:     "The form was checked, but Kratos has not stored it yet.",
	claim.Open:       "The number waits for its code.",
	claim.Verified:   "The code was right, and the number is being written to the account.",
	claim.Applied:    "The account has the number, marked verified.",
	claim.Superseded: "A claim on another number took its place.",
	claim.Cancelled:  "It was taken back.",
	claim.Locked:     "Too many wrong codes were entered.",
	claim.Lapsed:     "Nobody entered the code in time.",
	claim.Conflict:   "The code was right, but the account could not take the number.",
	claim.Orphaned:   "The account is gone.",
	claim.Discarded:  "Kratos never stored the form.",
}

// claimMeans says what a claim's state means.
func claimMeans(c claim.Claim) string {
	switch {
	case !c.Direct:
		return stateMeans[c.State]
	case c.State == claim.Applied && c.Source == claim.SourceTakeover:
		return "The number was not verified. Another account has proved it, and has it now."
	case c.State == claim.Applied && c.Number.IsZero():
		return "The number was removed from the account."
	case c.State == claim.Applied:
		return "The number was written to the account without a code, not marked verified."
	case c.State == claim.Staged && c.Source == claim.SourceTakeover:
		return "Another account has proved the number, and is taking it."
	case c.State == claim.Staged:
		return "The number is being changed without a code."
	case c.State == claim.Discarded:
		return "It was not stored."
	default:
		return stateMeans[c.State]
	}
}

// claimState is what stands on a claim's badge.
func claimState(c claim.Claim) string {
	switch {
	case !c.Direct || c.State != claim.Applied:
		return string(c.State)
	case c.Source == claim.SourceTakeover:
		return "taken"
	case c.Number.IsZero():
		return "removed"
	default:
		return "written"
	}
}

// claimBadge is the colour of a claim's badge.
func claimBadge(c claim.Claim) string {
	if c.Direct && c.State == claim.Applied {
		return "warn"
	}
	return stateBadge(c.State)
}

func stateBadge(s claim.State) string {
	switch s {
	case claim.Open, claim.Verified:
		return "info"
	case claim.Applied:
		return "good"
	case claim.Lapsed, claim.Orphaned:
		return "warn"
	case claim.Locked, claim.Conflict:
		return "bad"
	default:
		return ""
	}
}

func textBadge(s message.TextState) string {
	switch s {
	case message.TextDelivered:
		return "good"
	case message.TextQueued, message.TextSent:
		return "info"
	case message.TextDropped:
		return "warn"
	case message.TextFailed, message.TextUndelivered:
		return "bad"
	default:
		return ""
	}
}

func textName(t message.Text) string {
	switch t.Kind {
	case message.TextCode, "":
		return "Code"
	case message.TextRequested:
		return "Notice: another number is wanted"
	case message.TextChanged:
		return "Notice: the number was replaced"
	case message.TextRemoved:
		return "Notice: the number was removed"
	case message.TextTaken:
		return "Notice: another account proved the number"
	case message.TextDisputed:
		return "Notice: the change is denied"
	default:
		return string(t.Kind)
	}
}

// eventKind is a kind of line in the audit trail.
type eventKind struct{ Kind, Name string }

// eventKinds are those that are known, as they are offered for choice.
var eventKinds = []eventKind{
	{"staged", "Claim staged"},
	{"open", "Claim opened"},
	{"resent", "Text sent again"},
	{claim.WrongCode, "Wrong code"},
	{"verified", "Code was right"},
	{"applied", "Number written, verified"},
	{claim.NumberWritten, "Number written without a code"},
	{claim.NumberLeftOut, "Number left out of a client's change"},
	{claim.NumberRemoved, "Number removed"},
	{claim.NumberRestored, "Number written again: a form had put the one before back"},
	{claim.NumberTaken, "Unproven number taken by who proved it"},
	{"superseded", "Claim superseded"},
	{"cancelled", "Claim cancelled"},
	{"locked", "Claim locked"},
	{"lapsed", "Claim lapsed"},
	{"conflict", "Number not written"},
	{"orphaned", "Account gone"},
	{claim.UserDeleted, "Account deleted over SCIM"},
	{groups.Created, "Group made"},
	{groups.Renamed, "Group renamed"},
	{groups.Deleted, "Group deleted"},
	{groups.Joined, "Joined a group"},
	{groups.Left, "Left a group"},
	{"discarded", "Claim discarded"},
	{"disputed", "Change denied"},
	{claim.NumberPutBack, "Number from before put back"},
	{claim.SessionsEnded, "All sessions ended"},
	{claim.BlockLifted, "Changes allowed again"},
	{claim.AlarmSettled, "Case closed"},
	{admin.NumberShown, "Full number shown"},
	{admin.TestTextSent, "Test text sent"},
	{settings.Changed, "Setting changed"},
	{settings.Returned, "Setting returned"},
	{auth.TokenCreated, "Token created"},
	{auth.TokenRevoked, "Token revoked"},
	{auth.AdminSignedIn, "Signed in here"},
	{auth.AdminSignedOut, "Signed out here"},
}

func kindName(kind string) string {
	for _, known := range eventKinds {
		if known.Kind == kind {
			return known.Name
		}
	}
	return kind
}

var actorNames = map[audit.ActorKind]string{
	audit.Owner: "owner", audit.Privileged: "privileged user", audit.System: "Holdline itself",
	audit.LinkHolder: "holder of a notice's link", audit.Client: "client", audit.Operator: "operator",
	audit.Administrator: "administrator",
}

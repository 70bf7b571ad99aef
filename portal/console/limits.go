package console

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/holdline/holdline/internal/claim"
	"github.com/holdline/holdline/internal/fraud"
	"github.com/holdline/holdline/internal/settings"
)

type limitsPage struct {
	frame
	Groups []limitGroup
}

type limitGroup struct {
	Name   string
	Limits []Limit
}

func (s *console) limits(c *gin.Context, v *visit) error {
	groups := limitGroups(s.Policy())
	if len(s.Limits) > 0 {
		groups = append(groups, limitGroup{"Elsewhere", s.Limits})
	}
	s.pages.Show(c, http.StatusOK, "limits", limitsPage{s.frame(v, "Limits"), groups})
	return nil
}

// limitGroups are all limits that a policy has.
func limitGroups(p claim.Policy) []limitGroup {
	return []limitGroup{
		{"Claims and codes", []Limit{
			{"Validity of a code", string(settings.Validity), span(p.Validity)},
			{"Life of an open claim", "claims.lifetime", span(p.Lifetime)},
			{"An ended claim is kept for", "claims.retention", span(p.Retention)},
			{"Oldest sign-in that may change a number", "kratos.privileged_session_max_age", spanOr(p.SessionAge, "any")},
			{"Removal of a number without proof", "identity_mgt.user_claim_update.mobile.removal", string(p.Removal)},
		}},
		{"Tries", []Limit{
			{"Codes entered per claim", "limits.max_attempts", number(p.MaxAttempts)},
			{"Codes entered per identity in 24 hours", "limits.attempts_per_identity_per_day", number(p.DayAttempts)},
		}},
		{"Texts", []Limit{
			{"What a resend sends", "otp.resend", resendWords[p.Resend]},
			{"Rest after a claim's first text, doubling with each", "limits.resend_cooldown", spanOr(p.Cooldown, "none")},
			{"Texts per claim", "limits.texts_per_claim", number(p.MaxTexts)},
			{"Texts per identity in 24 hours", "limits.texts_per_identity_per_day", number(p.Texts.PerIdentityDay)},
			{"Texts per number in an hour, whoever asks", "limits.texts_per_number_per_hour", number(p.Texts.PerNumberHour)},
			{"Texts per number in 24 hours, whoever asks", "limits.texts_per_number_per_day", number(p.Texts.PerNumberDay)},
			{"With those that are kept for accounts with a verified number", "limits.texts_per_number_per_day", number(p.Texts.PerNumberDayInAll())},
			{"Notices per number in 24 hours", "limits.notices_per_number_per_day", number(p.Texts.NoticesPerNumberDay)},
			{"Texts per client address in an hour", "limits.texts_per_address_per_hour", number(p.Texts.PerAddressHour)},
		}},
		{"Countries and kinds of number", []Limit{
			{"Calling codes that are texted", string(settings.AllowedCodes), list(p.Coverage.Allowed, "all")},
			{"Calling codes that are not", string(settings.DeniedCodes), list(p.Coverage.Denied, "none")},
			{"Types that are not", "mobile.denied_types", list(p.Coverage.DeniedTypes, "none")},
		}},
		{"Traffic", trafficLimits(p.Traffic)},
		{"Notices", []Limit{
			{"Text to the old number after a change", "notices.old_number", onOff(p.Notices.OldNumber)},
			{"Operator's webhook", "notices.webhook.request_config.url", onOff(p.Notices.Webhook)},
			{"A change can be denied for", "notices.dispute_window", spanOr(p.Notices.Window, "never")},
			{"A denied change blocks further ones for", "notices.dispute_block", spanOr(p.Notices.Block, "not at all")},
		}},
	}
}

func trafficLimits(t fraud.Policy) []Limit {
	budgets := make([]string, 0, len(t.Budgets))
	for code, budget := range t.Budgets {
		budgets = append(budgets, fmt.Sprintf("+%s: %s", code, number(budget)))
	}
	slices.Sort(budgets)
	return []Limit{
		{"What is done about unsound traffic", "traffic.mode", modeWords[t.Mode]},
		{"Texts per calling code in an hour", "traffic.texts_per_calling_code_per_hour", number(t.Budget)},
		{"Of single calling codes", "traffic.budgets", list(budgets, "none")},
		{"Share of codes that must come back", "traffic.min_confirmed_share", strconv.FormatFloat(100*t.MinShare, 'f', -1, 64) + " %"},
		{"Once there are so many texts", "traffic.min_texts", numberOr(t.MinTexts, "shares are not looked at")},
		{"Of the last", "traffic.window", spanOr(t.Window, "none")},
	}
}

var resendWords = map[claim.Resend]string{
	claim.ResendNew: "a new code; the old one is dead", claim.ResendSame: "the same code while it lives",
}

var modeWords = map[fraud.Mode]string{
	fraud.Off: "nothing", fraud.Record: "it is said, here and in the log", fraud.Enforce: "it is stopped",
}

func number(n int) string { return numberOr(n, "no limit") }

func numberOr(n int, none string) string {
	if n == 0 {
		return none
	}
	return strconv.Itoa(n)
}

func spanOr(d time.Duration, none string) string {
	if d == 0 {
		return none
	}
	return span(d)
}

func list(values []string, none string) string {
	if len(values) == 0 {
		return none
	}
	return strings.Join(values, ", ")
}

func onOff(on bool) string {
	if on {
		return "on"
	}
	return "off"
}

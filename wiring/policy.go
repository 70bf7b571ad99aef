package wiring

import (
	"github.com/holdline/holdline/config"
	"github.com/holdline/holdline/internal/claim"
	"github.com/holdline/holdline/internal/fraud"
	"github.com/holdline/holdline/internal/otp"
	"github.com/holdline/holdline/internal/phone"
)

// Policy puts the configuration into the domain's terms.
func Policy(cfg config.Config) claim.Policy {
	feature, limits := cfg.Feature.Update, cfg.Limits
	return claim.Policy{
		Enabled: feature.Mobile.Enable, VerifyPrivileged: feature.Mobile.EnablePrivileged,
		VerifyAlways: !feature.UseVerifyClaim, Validity: feature.Mobile.Validity,
		Possible: otp.Alphabet(cfg.OTP.Alphabet).Possible(cfg.OTP.Length),
		Removal:  claim.Removal(feature.Mobile.Removal), Taken: claim.Taken(cfg.Mobile.Taken), Resend: claim.Resend(cfg.OTP.Resend),
		Lifetime: cfg.Claims.Lifetime, Retention: cfg.Claims.Retention, SessionAge: cfg.Kratos.SessionAge,
		RequiredAAL: claim.RequiredAAL(cfg.Kratos.RequiredAAL),
		MaxAttempts: limits.MaxAttempts, DayAttempts: limits.AttemptsPerIdentityDay,
		Cooldown: limits.ResendCooldown, MaxTexts: limits.TextsPerClaim,
		Texts: claim.TextLimits{
			PerIdentityDay: limits.TextsPerIdentityDay,
			PerNumberHour:  limits.TextsPerNumberHour, PerNumberDay: limits.TextsPerNumberDay,
			PerAddressHour: limits.TextsPerAddressHour, NoticesPerNumberDay: limits.NoticesPerNumberDay,
		},
		Coverage: Coverage(cfg.Mobile),
		Traffic:  trafficOf(cfg),
		Notices: claim.Notices{
			OldNumber: cfg.Notices.OldNumber, Webhook: hasWebhook(cfg), Window: cfg.Notices.Window, Block: cfg.Notices.Block,
		},
	}
}

// Coverage is which numbers are served.
func Coverage(m config.Mobile) phone.Restrictions {
	return phone.Restrictions{Allowed: m.AllowedCodes, Denied: m.DeniedCodes, DeniedTypes: m.DeniedTypes, Raw: phone.Format(m.Format) == phone.FormatRaw}
}

func trafficOf(cfg config.Config) fraud.Policy {
	budgets := map[string]int{}
	for _, b := range cfg.Traffic.Budgets {
		budgets[b.CallingCode] = b.TextsPerHour
	}
	return fraud.Policy{
		Mode: fraud.Mode(cfg.Traffic.Mode), Budget: cfg.Traffic.TextsPerHour, Budgets: budgets,
		MinShare: cfg.Traffic.MinShare, MinTexts: cfg.Traffic.MinTexts,
		Window: cfg.Traffic.Window,
	}
}

// NumberPlan is how numbers are read.
func NumberPlan(cfg config.Config) phone.Parser {
	return phone.Parser{Format: phone.Format(cfg.Mobile.Format), Region: cfg.Mobile.DefaultRegion}
}

package app

import (
	"github.com/holdline/holdline/config"
	"github.com/holdline/holdline/internal/claim"
)

// policyOf puts the configuration into the domain's terms.
func policyOf(cfg config.Config) claim.Policy {
	feature, limits := cfg.Feature.Update, cfg.Limits
	return claim.Policy{
		Enabled: feature.Mobile.Enable, VerifyPrivileged: feature.Mobile.EnablePrivileged,
		VerifyAlways: !feature.UseVerifyClaim, Validity: feature.Mobile.Validity,
		Possible: claim.Alphabet(cfg.OTP.Alphabet).Possible(cfg.OTP.Length),
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
		Coverage: coverageOf(cfg.Mobile),
		Traffic:  trafficOf(cfg),
		Notices: claim.Notices{
			OldNumber: cfg.Notices.OldNumber, Webhook: hasWebhook(cfg), Window: cfg.Notices.Window,
		},
	}
}

func coverageOf(m config.Mobile) claim.Coverage {
	return claim.Coverage{Allowed: m.AllowedCodes, Denied: m.DeniedCodes, DeniedTypes: m.DeniedTypes}
}

func trafficOf(cfg config.Config) claim.TrafficPolicy {
	budgets := map[string]int{}
	for _, b := range cfg.Traffic.Budgets {
		budgets[b.CallingCode] = b.TextsPerHour
	}
	return claim.TrafficPolicy{
		Mode: claim.TrafficMode(cfg.Traffic.Mode), Budget: cfg.Traffic.TextsPerHour, Budgets: budgets,
		MinShare: cfg.Traffic.MinShare, MinTexts: cfg.Traffic.MinTexts,
		Window: cfg.Traffic.Window,
	}
}

func planOf(cfg config.Config) claim.NumberPlan {
	return claim.NumberPlan{Format: claim.Format(cfg.Mobile.Format), Region: cfg.Mobile.DefaultRegion}
}

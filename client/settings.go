package client

import (
	"context"
	"net/http"
	"net/url"
	"time"
)

// Settings are the switches that change while Holdline runs; docs/admin.md
// says what they do.
type Settings struct {
	EnableVerification                 bool `json:"identity_mgt.user_claim_update.mobile.enable_verification"`
	EnableVerificationByPrivilegedUser bool `json:"identity_mgt.user_claim_update.mobile.enable_verification_by_privileged_user"`
	// VerificationSMSOTPValidity is a duration as Go writes it: 5m0s.
	VerificationSMSOTPValidity string `json:"identity_mgt.user_claim_update.mobile.verification_sms_otp_validity"`
	UseVerifyClaim             bool   `json:"identity_mgt.user_claim_update.use_verify_claim"`
	// AllowedCallingCodes are those of numbers that are texted, or longer beginnings of them; an
	// empty list is all. DeniedCallingCodes are not.
	AllowedCallingCodes []string `json:"mobile.allowed_calling_codes"`
	DeniedCallingCodes  []string `json:"mobile.denied_calling_codes"`
}

// SettingsChange says what to change; what is nil stays.
type SettingsChange struct {
	EnableVerification                 *bool `json:"identity_mgt.user_claim_update.mobile.enable_verification,omitempty"`
	EnableVerificationByPrivilegedUser *bool `json:"identity_mgt.user_claim_update.mobile.enable_verification_by_privileged_user,omitempty"`
	// VerificationSMSOTPValidity is a duration as Go writes it, from 1s to 24h.
	VerificationSMSOTPValidity *string `json:"identity_mgt.user_claim_update.mobile.verification_sms_otp_validity,omitempty"`
	UseVerifyClaim             *bool   `json:"identity_mgt.user_claim_update.use_verify_claim,omitempty"`
	// AllowedCallingCodes and DeniedCallingCodes replace the whole list; an empty one that is not nil
	// allows all, or denies none.
	AllowedCallingCodes []string `json:"mobile.allowed_calling_codes,omitzero"`
	DeniedCallingCodes  []string `json:"mobile.denied_calling_codes,omitzero"`
}

// Setting is one setting, and who set it.
type Setting struct {
	Key string `json:"key"`
	// Value is in force, StartValue is what the program starts with: a bool, a string for
	// the duration, or a list of them for calling codes.
	Value      any `json:"value"`
	StartValue any `json:"start_value"`
	// SetBy and SetAt are zero while the setting is as it started.
	SetBy string    `json:"set_by,omitempty"`
	SetAt time.Time `json:"set_at,omitzero"`
}

// Settings returns the settings in force.
func (c Client) Settings(ctx context.Context) (Settings, error) {
	var settings Settings
	err := c.call(ctx, http.MethodGet, "/admin/settings", nil, &settings)
	return settings, err
}

// ChangeSettings changes settings, all or none, and returns them as they are then.
func (c Client) ChangeSettings(ctx context.Context, change SettingsChange) (Settings, error) {
	var settings Settings
	err := c.call(ctx, http.MethodPatch, "/admin/settings", change, &settings)
	return settings, err
}

// Setting returns one setting, named in full or by the end of its name.
func (c Client) Setting(ctx context.Context, key string) (Setting, error) {
	var setting Setting
	err := c.call(ctx, http.MethodGet, settingPath(key), nil, &setting)
	return setting, err
}

// ReturnSetting returns a setting to what the program starts with.
func (c Client) ReturnSetting(ctx context.Context, key string) error {
	return c.call(ctx, http.MethodDelete, settingPath(key), nil, nil)
}

func settingPath(key string) string { return "/admin/settings/" + url.PathEscape(key) }

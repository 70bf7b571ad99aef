package config_test

import (
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/spf13/pflag"

	"github.com/holdline/holdline/config"
)

const (
	good = `
secrets: {otp: ["0123456789012345678901234567890123456789"]}
hooks: {api_key: "a-hook-key-of-some-length"}
sms: {gateways: [{id: phone, type: simulator}]}
`
	goodTOML = `
[secrets]
otp = ["0123456789012345678901234567890123456789"]
[hooks]
api_key = "a-hook-key-of-some-length"
[[sms.gateways]]
id = "phone"
type = "simulator"
`
)

// load reads a file of the given name and content, variables and arguments.
func load(t *testing.T, name, content string, environ, args []string) (config.Config, error) {
	t.Helper()
	file := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	flags := pflag.NewFlagSet("test", pflag.ContinueOnError)
	config.Flags(flags)
	if err := flags.Parse(append([]string{"--config", file}, args...)); err != nil {
		t.Fatal(err)
	}
	return config.Load(flags, environ)
}

func TestLaterSourcesWin(t *testing.T) {
	content := good + "otp: {length: 7}\nlimits: {max_attempts: 3, texts_per_claim: 2}\n"
	c, err := load(t, "holdline.yml", content,
		[]string{"HOLDLINE_OTP_LENGTH=8", "HOLDLINE_LIMITS_MAX_ATTEMPTS=4"}, []string{"--otp-length", "9"})
	if err != nil {
		t.Fatal(err)
	}
	if c.OTP.Length != 9 || c.Limits.MaxAttempts != 4 || c.Limits.TextsPerClaim != 2 || c.OTP.Alphabet != "numeric" {
		t.Errorf("got %+v %+v, want flag 9, variable 4, file 2, default numeric", c.OTP, c.Limits)
	}
}

func TestWSO2SettingsCanBePasted(t *testing.T) {
	c, err := load(t, "deployment.toml", goodTOML+`
[identity_mgt.user_claim_update]
use_verify_claim = "false"

[identity_mgt.user_claim_update.mobile]
enable_verification = "true"
verification_sms_otp_validity = "7"
enable_verification_by_privileged_user = true
`, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	update := c.Feature.Update
	if update.UseVerifyClaim || !update.Mobile.Enable || update.Mobile.Validity != 7*time.Minute || !update.Mobile.EnablePrivileged {
		t.Errorf("got %+v", update)
	}
}

func TestValidityIsMinutesWhenBare(t *testing.T) {
	for text, want := range map[string]time.Duration{"5": 5 * time.Minute, "90s": 90 * time.Second, "1h": time.Hour} {
		t.Run(text, func(t *testing.T) {
			for _, args := range [][]string{
				{"--verification-sms-otp-validity", text},
				{"--identity-mgt-user-claim-update-mobile-verification-sms-otp-validity=" + text},
			} {
				c, err := load(t, "holdline.yml", good, nil, args)
				if err != nil || c.Feature.Update.Mobile.Validity != want {
					t.Errorf("got %v (%v), want %v", c.Feature.Update.Mobile.Validity, err, want)
				}
			}
		})
	}
}

func TestSecretsComeFromFiles(t *testing.T) {
	file := filepath.Join(t.TempDir(), "otp")
	if err := os.WriteFile(file, []byte(strings.Repeat("a", 40)+"\n"+strings.Repeat("b", 40)+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := load(t, "holdline.yml", good, []string{"HOLDLINE_SECRETS_OTP_FILE=" + file}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Secrets.OTP) != 2 || c.Secrets.OTP[1].Reveal() != strings.Repeat("b", 40) {
		t.Errorf("got %d secrets", len(c.Secrets.OTP))
	}
}

func TestStructuredKeysAreJSONInFlags(t *testing.T) {
	c, err := load(t, "holdline.yml", good, nil, []string{
		`--sms-gateways=[{"id":"a","type":"http","request_config":{"url":"https://sms.test","method":"POST","headers":{"X-A":"b"}}}]`,
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(c.SMS.Gateways) != 1 || c.SMS.Gateways[0].Request.Headers["X-A"] != "b" {
		t.Errorf("got %+v", c.SMS.Gateways)
	}
}

func TestTextsByLanguage(t *testing.T) {
	content := strings.Replace(good, "sms: {", `sms: {templates: {de-CH: {code: "Grüezi {{.Code}}"}, fr: {changed: "{{.Link}}"}}, `, 1)
	want := map[string]config.Texts{"de-CH": {Code: "Grüezi {{.Code}}"}, "fr": {Changed: "{{.Link}}"}}
	c, err := load(t, "holdline.yml", content, nil, nil)
	if err != nil || !maps.Equal(c.SMS.Templates, want) {
		t.Errorf("got %+v, %v, want %+v", c.SMS.Templates, err, want)
	}
	for name, tt := range map[string]struct{ environ, args []string }{
		"flag":     {nil, []string{`--sms-templates={"ja":{"code":"{{.Code}}"}}`}},
		"variable": {[]string{`HOLDLINE_SMS_TEMPLATES={"ja":{"code":"{{.Code}}"}}`}, nil},
	} {
		c, err := load(t, "holdline.yml", content, tt.environ, tt.args)
		if want := map[string]config.Texts{"ja": {Code: "{{.Code}}"}}; err != nil || !maps.Equal(c.SMS.Templates, want) {
			t.Errorf("%s: got %+v, %v, want %+v alone", name, c.SMS.Templates, err, want)
		}
	}
	for text, want := range map[string]string{
		`[]`:                         "--sms-templates: must be a JSON object",
		`{"de":"x"}`:                 "sms.templates[de]",
		`{"de":{"colour":"secret"}}`: "sms.templates[de].colour",
	} {
		_, err := load(t, "holdline.yml", good, nil, []string{"--sms-templates=" + text})
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: got %v, want %q", text, err, want)
		}
	}
}

func TestAllFaultsAreReportedAtOnce(t *testing.T) {
	_, err := load(t, "holdline.yml", `
public: {port: 99999}
secrets: {otp: ["too short, and secret"]}
hooks: {api_key: "short"}
otp: {colour: 6, alphabet: klingon}
database: {dsn: "oracle://user:hunter2@db/x"}
limits: {max_attempts: many}
`, []string{"HOLDLINE_SMS_GATEWAYS=nonsense", "HOLDLINE_LIMITS_MAX_TRIES=3", "HOLDLINE_BIN=/usr/bin/holdline"}, nil)
	if err == nil {
		t.Fatal("accepted")
	}
	for _, want := range []string{
		"public.port", "secrets.otp[0]", "hooks.api_key", "otp.alphabet", "database.dsn", "otp.colour",
		"max_attempts", "HOLDLINE_SMS_GATEWAYS", "HOLDLINE_LIMITS_MAX_TRIES",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not named in: %v", want, err)
		}
	}
	for _, secret := range []string{"HOLDLINE_BIN", "hunter2", "too short, and secret"} {
		if strings.Contains(err.Error(), secret) {
			t.Errorf("a value is shown: %v", err)
		}
	}
}

func TestSecretsDoNotPrint(t *testing.T) {
	c, err := load(t, "holdline.yml", good, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	if text := strings.ToLower(strings.Join([]string{c.Hooks.APIKey.String(), c.Secrets.OTP[0].GoString()}, " ")); text != "*** ***" {
		t.Errorf("got %q", text)
	}
}

func TestAutoMigrateFollowsTheDatabase(t *testing.T) {
	for content, want := range map[string]bool{
		"": true,
		"database: {dsn: 'mysql://a:b@tcp(127.0.0.1:3306)/c'}":                     false,
		"database: {dsn: 'mysql://a:b@tcp(127.0.0.1:3306)/c', auto_migrate: true}": true,
		"database: {dsn: 'sqlite://x.db', auto_migrate: false}":                    false,
		"database: {dsn: 'sqlite://x.db', auto_migrate: 'true'}":                   true,
	} {
		c, err := load(t, "holdline.yml", good+content, nil, nil)
		if err != nil || c.AutoMigrate() != want {
			t.Errorf("%s: got %v (%v), want %v", content, c.AutoMigrate(), err, want)
		}
	}
}

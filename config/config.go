// Package config reads Holdline's configuration: defaults, then a file (YAML,
// JSON or TOML), then HOLDLINE_ variables, then flags, the later ones winning.
// All faults are reported at once. Only package app sees a Config; everything
// else receives plain values.
package config

import "time"

// Config is the whole configuration. The koanf tags are the keys of the file;
// flags and variables are made from them.
type Config struct {
	Public   Listener `koanf:"public"`
	Admin    Admin    `koanf:"admin"`
	Database Database `koanf:"database"`
	Secrets  Secrets  `koanf:"secrets"`
	Kratos   Kratos   `koanf:"kratos"`
	Realms   []Realm  `koanf:"realms" usage:"further Kratos beside the one under kratos, as JSON"`
	Hooks    Hooks    `koanf:"hooks"`
	Feature  Feature  `koanf:"identity_mgt"`
	Mobile   Mobile   `koanf:"mobile"`
	OTP      OTP      `koanf:"otp"`
	Claims   Claims   `koanf:"claims"`
	Limits   Limits   `koanf:"limits"`
	Traffic  Traffic  `koanf:"traffic"`
	SMS      SMS      `koanf:"sms"`
	Notices  Notices  `koanf:"notices"`
	Pages    Pages    `koanf:"pages"`
	SCIM     SCIM     `koanf:"scim"`
	Tokens   []Token  `koanf:"tokens" usage:"bearer tokens of provisioning clients, as JSON"`
	Log      Log      `koanf:"log"`
	Tracing  Tracing  `koanf:"tracing"`
}

// Listener is the public listener.
type Listener struct {
	Host           string   `koanf:"host" usage:"address of the public listener"`
	Port           int      `koanf:"port" usage:"port of the public listener; 0 takes a free one"`
	BaseURL        string   `koanf:"base_url" usage:"URL at which people reach the public listener; texts and notices name it"`
	TrustedProxies []string `koanf:"trusted_proxies" usage:"addresses or networks whose X-Forwarded-For is believed on the public listener"`
	CORS           CORS     `koanf:"cors"`
	// HTTPBasic is what WSO2's clients know. It goes past what guards a login form.
	HTTPBasic bool `koanf:"http_basic" usage:"take people's passwords by HTTP Basic, over SCIM and the user API"`
}

// CORS says which sites' pages may call the owners' routes of the user API.
type CORS struct {
	AllowedOrigins []string `koanf:"allowed_origins" usage:"origins, as in https://account.example.com, whose pages may call the user API for the person who is signed in; exact, no wildcards"`
}

// Admin is the admin listener.
type Admin struct {
	Host string `koanf:"host" usage:"address of the admin listener; never expose it"`
	Port int    `koanf:"port" usage:"port of the admin listener; 0 takes a free one"`
	// TrustedProxies are its own: who stands before one listener may be a client of the other.
	TrustedProxies []string `koanf:"trusted_proxies" usage:"addresses or networks whose X-Forwarded-For is believed on the admin listener"`
	// SessionIdle bounds what is done at a console that somebody has left.
	SessionIdle time.Duration `koanf:"session_idle" usage:"how long the console stays open without being used"`
}

// Database says where claims are kept.
type Database struct {
	DSN Secret `koanf:"dsn" usage:"postgres://USER:PASSWORD@HOST:PORT/NAME, mysql://USER:PASSWORD@tcp(HOST:PORT)/NAME or sqlite://FILE"`
	// AutoMigrate is true, false or blank: true for SQLite, false for a server.
	AutoMigrate string `koanf:"auto_migrate" usage:"bring the schema up to date on start (default true for sqlite, false for a server)"`
}

// Secrets are Holdline's own.
type Secrets struct {
	OTP []Secret `koanf:"otp" usage:"keys that codes are made from; the first makes new ones, the others still verify"`
}

// Kratos says where Kratos is and how its identities are laid out.
type Kratos struct {
	PublicURL     string        `koanf:"public_url" usage:"URL of Kratos' public API"`
	BrowserURL    string        `koanf:"browser_url" usage:"URL of Kratos' public API as browsers reach it; blank for public_url"`
	AdminURL      string        `koanf:"admin_url" usage:"URL of Kratos' admin API"`
	MobileTrait   string        `koanf:"mobile_trait" usage:"trait that holds the mobile number"`
	PendingKey    string        `koanf:"pending_key" usage:"key in metadata_public that shows the pending number"`
	EmailTrait    string        `koanf:"email_trait" usage:"trait that holds the e-mail address, for notices to people without a verifiable one; blank for none"`
	LocaleTrait   string        `koanf:"locale_trait" usage:"trait that names a person's language; blank for none"`
	PrivilegedKey string        `koanf:"privileged_key" usage:"key in metadata_admin that makes an identity a privileged user where it is true; blank for nobody"`
	SessionCookie string        `koanf:"session_cookie" usage:"name of Kratos' session cookie"`
	SessionAge    time.Duration `koanf:"privileged_session_max_age" usage:"oldest sign-in that may change a number; 0 for any"`
	RequiredAAL   string        `koanf:"required_aal" usage:"what changes need that do not come through Kratos' form: aal1, or highest_available for a second factor of people who have one"`
	Timeout       time.Duration `koanf:"timeout" usage:"longest wait for one answer of Kratos"`
}

// Hooks says how Kratos calls Holdline.
type Hooks struct {
	APIKey Secret `koanf:"api_key" usage:"key that Kratos sends in X-Hook-Key"`
	// PreviousKey lets the key be changed at Holdline first and at Kratos later.
	PreviousKey Secret `koanf:"previous_api_key" usage:"key that is still taken, until Kratos sends api_key; blank for none"`
	BaseURL     string `koanf:"base_url" usage:"URL at which Kratos reaches the admin listener (default: its own address)"`
	// AddressHeader is believed, so a proxy must overwrite it. Kratos v1.3 hands no
	// other than True-Client-Ip on.
	AddressHeader string `koanf:"client_address_header" usage:"header in which a proxy before Kratos puts the client's address; blank for none"`
	ReturnURL     string `koanf:"return_url" usage:"page that kratos-config sends browsers to after a profile was saved; none leaves Kratos' setting alone, for sites that show the pending number themselves (default: /verify at public.base_url)"`
}

// Feature is the feature itself, with WSO2 Identity Server's names.
type Feature struct {
	Update UserClaimUpdate `koanf:"user_claim_update"`
}

// UserClaimUpdate holds the switches.
type UserClaimUpdate struct {
	UseVerifyClaim bool         `koanf:"use_verify_claim" usage:"SCIM: verify only when verifyMobile is true; false: always"`
	Mobile         MobileUpdate `koanf:"mobile"`
}

// MobileUpdate holds the switches of the mobile number.
type MobileUpdate struct {
	Enable           bool          `koanf:"enable_verification" alias:"enable-verification" usage:"verify changed mobile numbers"`
	Validity         time.Duration `koanf:"verification_sms_otp_validity" alias:"verification-sms-otp-validity" usage:"how long a code is good; a bare number means minutes"`
	EnablePrivileged bool          `koanf:"enable_verification_by_privileged_user" alias:"enable-verification-by-privileged-user" usage:"verify changes by privileged users too"`
	Removal          string        `koanf:"removal" usage:"allow or deny the removal of a number"`
}

// Mobile says how numbers are read and written.
type Mobile struct {
	AllowedCodes  []string `koanf:"allowed_calling_codes" usage:"calling codes, or beginnings of numbers of up to 7 digits, that are texted; blank for all"`
	DeniedCodes   []string `koanf:"denied_calling_codes" usage:"calling codes, or beginnings of numbers of up to 7 digits, that are not texted"`
	DeniedTypes   []string `koanf:"denied_types" usage:"types of number that are not texted: premium_rate, shared_cost, toll_free, uan, pager, voicemail, satellite (+870, +881, +882, +883), international_service (+800, +808, +878, +888, +979, +991), voip, personal_number, fixed_line, unknown"`
	Format        string   `koanf:"format" usage:"e164 or raw"`
	DefaultRegion string   `koanf:"default_region" usage:"country (ISO 3166-1) that national numbers are read in"`
	Taken         string   `koanf:"taken" usage:"a confirmed number that another account has in Kratos: take_unverified takes it from an account that has not confirmed it; refuse leaves it there"`
}

// OTP says what codes look like.
type OTP struct {
	Length   int    `koanf:"length" usage:"characters of a code, 4 to 10"`
	Alphabet string `koanf:"alphabet" usage:"numeric or alphanumeric"`
	Resend   string `koanf:"resend" usage:"new: a resend makes a new code; same: it repeats a living one"`
}

// Claims says how long claims live.
type Claims struct {
	Lifetime  time.Duration `koanf:"lifetime" usage:"how long a claim stays open"`
	Retention time.Duration `koanf:"retention" usage:"how long an ended claim is kept"`
}

// Limits bound guessing and texting. Zero switches a limit off.
type Limits struct {
	MaxAttempts            int           `koanf:"max_attempts" usage:"tries per claim"`
	AttemptsPerIdentityDay int           `koanf:"attempts_per_identity_per_day" usage:"tries per identity in 24 hours"`
	ResendCooldown         time.Duration `koanf:"resend_cooldown" usage:"rest after a claim's first text; doubles with each"`
	TextsPerClaim          int           `koanf:"texts_per_claim" usage:"texts per claim"`
	TextsPerIdentityDay    int           `koanf:"texts_per_identity_per_day" usage:"texts per identity in 24 hours"`
	TextsPerNumberHour     int           `koanf:"texts_per_number_per_hour" usage:"texts per number in an hour, whoever asks; one a day is kept for each account that has a verified number"`
	TextsPerNumberDay      int           `koanf:"texts_per_number_per_day" usage:"texts per number in 24 hours, whoever asks; twice as many with those kept for accounts that have a verified number"`
	NoticesPerNumberDay    int           `koanf:"notices_per_number_per_day" usage:"notices to a number in 24 hours"`
	TextsPerAddressHour    int           `koanf:"texts_per_address_per_hour" usage:"texts per client address in an hour"`
	LoginFailures          int           `koanf:"login_failures_per_user" usage:"wrong passwords (HTTP Basic) per user name at once, and again in each login_window"`
	AddressFailures        int           `koanf:"login_failures_per_address" usage:"wrong passwords (HTTP Basic) per client address, whatever the user names, at once, and again in each login_window"`
	TokenFailures          int           `koanf:"token_failures_per_address" usage:"wrong bearer tokens of clients per client address at once, and again in each login_window; as many wrong hook keys"`
	LoginWindow            time.Duration `koanf:"login_window" usage:"time in which a user name gets its wrong passwords back, and an address its wrong tokens, one by one"`
}

// SMS says how texts go out.
type SMS struct {
	Product         string           `koanf:"product" usage:"name of the product that texts speak of"`
	DefaultLanguage string           `koanf:"default_language" usage:"language of texts to people whose own is unknown"`
	Segments        int              `koanf:"segments" usage:"messages that a text with a code may take"`
	NoticeSegments  int              `koanf:"notice_segments" usage:"messages that a notice may take"`
	Templates       map[string]Texts `koanf:"templates" usage:"own texts by language (BCP 47), as JSON"`
	Gateways        []Gateway        `koanf:"gateways" usage:"SMS gateways in order of preference, as JSON"`
	Routes          []Route          `koanf:"routes" usage:"gateways for some calling codes, as JSON; numbers of others take all gateways in order"`
}

// Texts are an operator's own in one language. A blank one stays as built in.
type Texts struct {
	Code    string `koanf:"code"`
	Changed string `koanf:"changed"`
	Removed string `koanf:"removed"`
}

// Log says what is logged and how.
type Log struct {
	Level  string `koanf:"level" usage:"debug, info, warn or error"`
	Format string `koanf:"format" usage:"json or text"`
	Access bool   `koanf:"access" usage:"write a line at level info for each request: route, status, duration and who asked"`
}

// Tracing says where OpenTelemetry spans go.
type Tracing struct {
	Endpoint string  `koanf:"otlp_endpoint" usage:"URL of an OpenTelemetry collector (OTLP over HTTP), such as http://127.0.0.1:4318; blank for OTEL_EXPORTER_OTLP_ENDPOINT, and without that no tracing"`
	Ratio    float64 `koanf:"sample_ratio" usage:"share of the traces begun here that is kept, 0 to 1; a trace that Kratos began is kept if Kratos keeps it"`
}

// Default returns the configuration of a first look: SQLite, Kratos on its usual
// ports. It lacks what has no safe default: secrets and a gateway.
func Default() Config {
	return Config{
		Public:   Listener{Host: "127.0.0.1", Port: 4477, HTTPBasic: true},
		Admin:    Admin{Host: "127.0.0.1", Port: 4478, SessionIdle: 15 * time.Minute},
		Database: Database{DSN: "sqlite://holdline.db"},
		Kratos: Kratos{
			PublicURL: "http://127.0.0.1:4433", AdminURL: "http://127.0.0.1:4434",
			MobileTrait: "mobile", PendingKey: "pendingMobileNumber", EmailTrait: "email", LocaleTrait: "locale", SessionCookie: "ory_kratos_session",
			SessionAge: 15 * time.Minute, RequiredAAL: "highest_available", Timeout: 3 * time.Second,
		},
		Feature: Feature{UserClaimUpdate{UseVerifyClaim: true, Mobile: MobileUpdate{
			Enable: true, Validity: 5 * time.Minute, Removal: "allow",
		}}},
		Mobile: Mobile{
			Format:      "e164",
			Taken:       "take_unverified",
			DeniedTypes: []string{"premium_rate", "shared_cost", "uan", "pager", "voicemail", "satellite", "international_service"},
		},
		OTP:    OTP{Length: 6, Alphabet: "numeric", Resend: "new"},
		Claims: Claims{Lifetime: 24 * time.Hour, Retention: 90 * 24 * time.Hour},
		Limits: Limits{
			MaxAttempts: 5, AttemptsPerIdentityDay: 20, ResendCooldown: 30 * time.Second, TextsPerClaim: 5,
			TextsPerIdentityDay: 10, TextsPerNumberHour: 5, TextsPerNumberDay: 10, NoticesPerNumberDay: 10, TextsPerAddressHour: 60,
			LoginFailures: 10, AddressFailures: 50, TokenFailures: 20, LoginWindow: 15 * time.Minute,
		},
		Traffic: Traffic{Mode: "off", Window: time.Hour, MinTexts: 50, MinShare: 0.25},
		SMS:     SMS{Product: "Holdline", DefaultLanguage: "en", Segments: 1, NoticeSegments: 3},
		Notices: Notices{OldNumber: true, Window: 72 * time.Hour, Block: 24 * time.Hour},
		SCIM:    defaultSCIM(),
		Log:     Log{Level: "info", Format: "json"},
		Tracing: Tracing{Ratio: 1},
	}
}

// Secret is text that must not be shown.
type Secret string

// String hides the secret.
func (s Secret) String() string {
	if s == "" {
		return ""
	}
	return "***"
}

// GoString hides the secret.
func (s Secret) GoString() string { return s.String() }

// MarshalText hides the secret.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// Reveal returns the secret.
func (s Secret) Reveal() string { return string(s) }

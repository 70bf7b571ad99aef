package config

import (
	"encoding/base64"
	"strings"
	"time"
)

// Notices says what is told to whom beside codes.
type Notices struct {
	OldNumber bool          `koanf:"old_number" usage:"text the old number after a change, if it was a verified one"`
	Window    time.Duration `koanf:"dispute_window" usage:"how long after a change the link of a notice (not you?) is good"`
	Block     time.Duration `koanf:"dispute_block" usage:"how long the number of an account cannot be changed after somebody said that it was not them; 0 for not at all"`
	Webhook   Webhook       `koanf:"webhook"`
}

// Webhook is the operator's own service, which writes e-mails or raises alarms.
type Webhook struct {
	// Request has no URL if there is no webhook.
	Request RequestConfig `koanf:"request_config"`
	// Secret signs the calls.
	Secret  Secret        `koanf:"signing_secret" usage:"signs the calls after Standard Webhooks: whsec_ and 24 to 64 bytes in base64"`
	Timeout time.Duration `koanf:"timeout" usage:"longest wait for one answer, at most 15s"`
}

func (c Config) checkNotices(f *faults) {
	n := c.Notices
	f.unless(n.Window >= 0 && n.Window <= c.Claims.Retention, "notices.dispute_window", "must be from 0 to claims.retention")
	f.unless(n.Block >= 0 && n.Block <= longestBlock, "notices.dispute_block", "must be from 0 to 720h")
	f.unless(n.Block <= 0 || n.Window+n.Block <= c.Claims.Retention, "notices.dispute_block",
		"must be over before claims.retention is, and so be with notices.dispute_window no more than that: what blocks is forgotten with the claim")
	f.unless(n.Webhook.Secret == "" || isSigningSecret(n.Webhook.Secret.Reveal()), "notices.webhook.signing_secret",
		"must be whsec_ and 24 to 64 bytes in base64, as `echo whsec_$(openssl rand -base64 32)` prints")
	f.unless(n.Webhook.Timeout >= 0 && n.Webhook.Timeout <= longestTimeout, "notices.webhook.timeout", "must be at most 15s")
}

// longestBlock is a bound for what somebody with an old phone can do to an account.
const longestBlock = 30 * 24 * time.Hour

// isSigningSecret reports whether a text is a secret as Standard Webhooks has it
// (https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md#signature-scheme).
func isSigningSecret(text string) bool {
	encoded, prefixed := strings.CutPrefix(text, "whsec_")
	key, err := base64.StdEncoding.DecodeString(encoded)
	return prefixed && err == nil && len(key) >= 24 && len(key) <= 64
}

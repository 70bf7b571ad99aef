package config

import "time"

// Notices says what is told to whom beside codes.
type Notices struct {
	OldNumber bool          `koanf:"old_number" usage:"text the old number after a change, if it was a verified one"`
	Window    time.Duration `koanf:"dispute_window" usage:"how long after a change the link of a notice (not you?) is good"`
	Webhook   Webhook       `koanf:"webhook"`
}

// Webhook is the operator's own service, which writes e-mails or raises alarms.
type Webhook struct {
	// Request has no URL if there is no webhook.
	Request RequestConfig `koanf:"request_config"`
	Timeout time.Duration `koanf:"timeout" usage:"longest wait for one answer, at most 15s"`
}

func (c Config) checkNotices(f *faults) {
	n := c.Notices
	f.unless(n.Window >= 0 && n.Window <= c.Claims.Retention, "notices.dispute_window", "must be from 0 to claims.retention")
	f.unless(n.Webhook.Timeout >= 0 && n.Webhook.Timeout <= longestTimeout, "notices.webhook.timeout", "must be at most 15s")
}

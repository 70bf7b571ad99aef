package claim

import (
	"time"

	"github.com/holdline/holdline/internal/audit"
	"github.com/holdline/holdline/internal/message"
	"github.com/holdline/holdline/internal/otp"
	"github.com/holdline/holdline/internal/phone"
)

// noticeLife is how long a notice is worth sending.
const noticeLife = 24 * time.Hour

// replaced is the number that a claim's number takes the place of.
type replaced struct {
	number   phone.Number
	verified bool
}

// About is the number that a person is told of: the new one or, where there is
// none, the one that was removed.
func (c Claim) About() phone.Number {
	if c.Number.IsZero() {
		return c.Previous
	}
	return c.Number
}

// notices tells of a moment in a claim's life: by a text to the old number,
// which has to be one that was proven to be the person's, and by the operator's
// webhook. A first number replaces none, and nobody is told.
func (s *Service) notices(c Claim, kind message.TextKind, old replaced, now time.Time) []message.Text {
	if kind != message.TextDisputed && (old.number.IsZero() || old.number.Same(c.Number)) {
		return nil
	}
	policy := s.Policy().Notices
	var texts []message.Text
	add := func(channel message.Channel, to phone.Number) {
		texts = append(texts, message.Text{
			ID: s.NewID(), Kind: kind, Channel: channel, IdentityID: c.IdentityID, To: to,
			Code: otp.CodeRef{ClaimID: c.ID}, Expires: now.Add(noticeLife), Language: c.Language,
			CreatedAt: now, LeaseUntil: now.Add(textLease),
		})
	}
	if (kind == message.TextChanged || kind == message.TextRemoved) && policy.OldNumber && old.verified {
		add(message.ChannelSMS, old.number)
	}
	if policy.Webhook {
		add(message.ChannelWebhook, c.About())
	}
	return texts
}

// NoticeWithheld is what the audit trail calls a notice that was not sent because
// of a limit.
const NoticeWithheld = "notice_withheld"

// NoticeWithheldEvent is the audit line of a notice that found no room.
func NoticeWithheldEvent(notice message.Text, at time.Time) audit.Event {
	return audit.Event{
		ClaimID: notice.Code.ClaimID, IdentityID: notice.IdentityID, Kind: NoticeWithheld, Actor: audit.Actor{Kind: audit.System},
		Number: notice.To.String(), Reason: LimitNumberNotices, At: at,
	}
}

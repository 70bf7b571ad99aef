package template

import (
	"cmp"
	"errors"
	"time"

	"github.com/holdline/holdline/internal/message"
	"github.com/holdline/holdline/internal/otp"
	"github.com/holdline/holdline/smsgateway"
)

// Composer makes messages of queued texts.
type Composer struct {
	Codes interface {
		Code(ref otp.CodeRef) (string, error)
	}
	Templates *Templates
	Mails     *Mails // nil without a webhook
	Now       func() time.Time
	// Link returns the page on which a notice's reader says "that was not me".
	Link func(message.Text) (string, error)
}

// onTheWay is what a text may have waited without saying a minute less.
const onTheWay = 15 * time.Second

// Compose makes the message. An error is final, and says nothing secret.
func (c Composer) Compose(t message.Text) (smsgateway.Message, error) {
	m := smsgateway.Message{
		ID: t.ID, Kind: cmp.Or(t.Kind, message.TextCode), Channel: cmp.Or(t.Channel, message.ChannelSMS), To: t.To,
		Validity: t.Validity, Language: t.Language, IdentityID: t.IdentityID, ClaimID: t.Code.ClaimID,
	}
	if m.To.IsZero() {
		return smsgateway.Message{}, errors.New("the number was blanked, since the identity is gone")
	}
	var err error
	switch m.Kind {
	case message.TextCode:
		if m.Code, err = c.Codes.Code(t.Code); err != nil {
			return smsgateway.Message{}, errors.New("the code's key is not in the key ring")
		}
	case message.TextRequested, message.TextChanged, message.TextRemoved, message.TextTaken:
		if m.Link, err = c.Link(t); err != nil {
			return smsgateway.Message{}, errors.New("the notice's link cannot be made")
		}
	case message.TextDisputed: // the operator needs no link to say that it was not they
	}
	if m.Channel == message.ChannelWebhook {
		mail, err := c.Mails.Write(m.Kind, m.Language, m.Link)
		m.Subject, m.Body = mail.Subject, mail.Body
		return m, err
	}
	left := min(t.Validity, t.Expires.Sub(c.Now())+onTheWay)
	m.Write = func(languages []string) (string, string, error) {
		return c.Templates.RenderIn(m.Kind, m.Language, languages, Data{Code: m.Code, Minutes: smsgateway.Minutes(left), Link: m.Link})
	}
	m.Body, m.Written, err = m.Write(nil)
	return m, err
}

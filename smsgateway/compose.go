package smsgateway

import (
	"cmp"
	"errors"

	"github.com/holdline/holdline/claim"
)

// Composer makes messages of queued texts.
type Composer struct {
	Codes interface {
		Code(ref claim.CodeRef) (string, error)
	}
	Templates *Templates
	Mails     *Mails // nil without a webhook
	// Link returns the page on which a notice's reader says "that was not me".
	Link func(claim.Text) (string, error)
}

// Compose makes the message. An error is final, and says nothing secret.
func (c Composer) Compose(t claim.Text) (Message, error) {
	m := Message{
		ID: t.ID, Kind: cmp.Or(t.Kind, claim.TextCode), Channel: cmp.Or(t.Channel, claim.ChannelSMS), To: t.To,
		Validity: t.Validity, Language: t.Language, IdentityID: t.IdentityID,
	}
	var err error
	switch m.Kind {
	case claim.TextCode:
		if m.Code, err = c.Codes.Code(t.Code); err != nil {
			return Message{}, errors.New("the code's key is not in the key ring")
		}
	case claim.TextRequested, claim.TextChanged:
		if m.Link, err = c.Link(t); err != nil {
			return Message{}, errors.New("the notice's link cannot be made")
		}
	case claim.TextDisputed: // the operator needs no link to say that it was not they
	}
	if m.Channel == claim.ChannelWebhook {
		mail, err := c.Mails.Write(m.Kind, m.Language, m.Link)
		m.Subject, m.Body = mail.Subject, mail.Body
		return m, err
	}
	m.Body, err = c.Templates.Render(m.Kind, m.Language, TextData{Code: m.Code, Minutes: minutes(t.Validity), Link: m.Link})
	return m, err
}

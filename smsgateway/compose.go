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
	// Link returns the page on which a notice's reader says "that was not me".
	Link func(claim.Text) string
}

// Compose makes the message. An error is final, and says nothing secret.
func (c Composer) Compose(t claim.Text) (Message, error) {
	t.Kind = cmp.Or(t.Kind, claim.TextCode)
	data := TextData{Minutes: minutes(t.Validity)}
	if t.Kind == claim.TextCode {
		code, err := c.Codes.Code(t.Code)
		if err != nil {
			return Message{}, errors.New("the code's key is not in the key ring")
		}
		data.Code = code
	} else {
		data.Link = c.Link(t)
	}
	body, err := c.Templates.Render(t.Kind, t.Language, data)
	if err != nil {
		return Message{}, err
	}
	return Message{
		ID: t.ID, Kind: t.Kind, To: t.To, Body: body, Code: data.Code,
		Validity: t.Validity, Language: t.Language, IdentityID: t.IdentityID,
	}, nil
}

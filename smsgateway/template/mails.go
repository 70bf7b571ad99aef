package template

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/nicksnyder/go-i18n/v2/i18n"

	"github.com/holdline/holdline/internal/message"
)

// Mails write what the operator's webhook may pass on as an e-mail. They are
// safe for concurrent use.
type Mails struct {
	bundle            *i18n.Bundle
	product, standard string
}

// NewMails returns mails about a product, in a language (BCP 47; en if blank)
// for those whose own is unknown.
func NewMails(product, standard string) (*Mails, error) {
	bundle, err := loadMessages()
	return &Mails{bundle, product, cmp.Or(standard, "en")}, err
}

// Mail is an e-mail without an address.
type Mail struct{ Subject, Body string }

// Write writes a mail in the first of some languages that there is (BCP 47,
// separated by commas). Disputes are for the operator, and in English.
func (m *Mails) Write(kind message.TextKind, preferred, link string) (Mail, error) {
	subject := "subject"
	switch kind {
	case message.TextRequested, message.TextChanged, message.TextRemoved, message.TextTaken:
	case message.TextDisputed:
		subject, preferred = "disputed_subject", "en"
	default:
		return Mail{}, fmt.Errorf("there is no mail of the kind %s", kind)
	}
	localizer := i18n.NewLocalizer(m.bundle, append(strings.Split(preferred, ","), m.standard)...)
	say := func(msg string) (string, error) {
		out, err := localizer.Localize(&i18n.LocalizeConfig{
			MessageID: msg, TemplateData: Data{Product: m.product, Link: link},
		})
		if err != nil {
			return "", fmt.Errorf("the mail cannot be written: %w", err)
		}
		return out, nil
	}
	title, err := say(subject)
	if err != nil {
		return Mail{}, err
	}
	body, err := say(string(kind))
	return Mail{title, body}, err
}

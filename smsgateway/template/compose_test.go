package template_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/holdline/holdline/internal/message"
	"github.com/holdline/holdline/internal/otp"
	"github.com/holdline/holdline/internal/phone"
	"github.com/holdline/holdline/smsgateway/smstest"
	"github.com/holdline/holdline/smsgateway/template"
)

func TestNoticesAreComposedForTheirChannel(t *testing.T) {
	templates, err := template.New(template.Options{Product: "Acme", LongestLink: "https://acme.test/not-me/abc"})
	if err != nil {
		t.Fatal(err)
	}
	mails, err := template.NewMails("Acme", "en")
	if err != nil {
		t.Fatal(err)
	}
	var broken error
	composer := template.Composer{
		Codes: smstest.Codes{}, Templates: templates, Mails: mails, Now: func() time.Time { return smstest.Start },
		Link: func(t message.Text) (string, error) { return "https://acme.test/not-me/" + t.Code.ClaimID, broken },
	}
	text := message.Text{ID: "t", Kind: message.TextChanged, To: phone.FromStore("+491711234567"), Language: "de", Code: otp.CodeRef{ClaimID: "abc"}}
	sms, err := composer.Compose(text)
	if err != nil || sms.Subject != "" || !strings.Contains(sms.Body, "geändert") || !strings.Contains(sms.Body, "/not-me/abc") {
		t.Errorf("got %+v, %v", sms, err)
	}
	text.Channel = message.ChannelWebhook
	mail, err := composer.Compose(text)
	if err != nil || mail.Subject != "Ihre Mobilnummer bei Acme" || !strings.Contains(mail.Body, "/not-me/abc") || mail.Link == "" {
		t.Errorf("got %+v, %v", mail, err)
	}
	text.Kind = message.TextDisputed
	if alarm, err := composer.Compose(text); err != nil || alarm.Link != "" || !strings.Contains(alarm.Body, "denied") {
		t.Errorf("got %+v, %v", alarm, err)
	}
	broken, text.Kind = errors.New("secret"), message.TextRequested
	if _, err := composer.Compose(text); err == nil || strings.Contains(err.Error(), "secret") {
		t.Errorf("got %v", err)
	}
	text.To = phone.Number{}
	if _, err := composer.Compose(text); err == nil {
		t.Error("a text to nobody is composed")
	}
}

// A text that had to wait says what is left, and one that was sent at once its
// whole time.
func TestTextsSayHowLongTheCodeIsStillGood(t *testing.T) {
	templates, err := template.New(template.Options{Product: "Acme"})
	if err != nil {
		t.Fatal(err)
	}
	for waited, want := range map[time.Duration]string{
		0: "in 5 minutes", 10 * time.Second: "in 5 minutes", time.Minute: "in 4 minutes", 4*time.Minute + 50*time.Second: "in 1 minute.",
	} {
		composer := template.Composer{Codes: smstest.Codes{}, Templates: templates, Now: func() time.Time { return smstest.Start.Add(waited) }}
		m, err := composer.Compose(message.Text{
			To:   phone.FromStore("+491711234567"),
			Code: otp.CodeRef{Key: "n6.key"}, Validity: 5 * time.Minute, Expires: smstest.Start.Add(5 * time.Minute),
		})
		if err != nil || !strings.Contains(m.Body, want) {
			t.Errorf("after %v: got %q, %v", waited, m.Body, err)
		}
	}
}

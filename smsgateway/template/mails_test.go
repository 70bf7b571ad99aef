package template_test

import (
	"strings"
	"testing"

	"github.com/holdline/holdline/internal/message"
	"github.com/holdline/holdline/smsgateway/template"
)

func TestMailsSpeakTheReadersLanguage(t *testing.T) {
	mails, err := template.NewMails("Example Bank", "en")
	if err != nil {
		t.Fatal(err)
	}
	const link = "https://id.example.com/not-me/abc"
	seen := map[string]bool{}
	for _, language := range []string{"ar", "de", "en", "es", "fr", "hi", "ja", "pt", "si", "ta"} {
		for _, kind := range []message.TextKind{message.TextRequested, message.TextChanged, message.TextRemoved, message.TextTaken} {
			got, err := mails.Write(kind, "xx,"+language+"-419,en", link)
			if err != nil {
				t.Fatalf("%s %s: %v", language, kind, err)
			}
			if !strings.Contains(got.Body, link) || !strings.Contains(got.Body, "Example Bank") || !strings.Contains(got.Subject, "Example Bank") {
				t.Errorf("%s %s: got %+v", language, kind, got)
			}
			if seen[got.Body] {
				t.Errorf("%s %s: is in another language: %s", language, kind, got.Body)
			}
			seen[got.Body] = true
		}
	}
	operators, err := mails.Write(message.TextDisputed, "de", "")
	if err != nil || operators.Subject != "Example Bank: a change of number is denied" {
		t.Errorf("got %+v, %v", operators, err)
	}
	if _, err := mails.Write(message.TextCode, "de", ""); err == nil || !strings.Contains(err.Error(), "code") {
		t.Errorf("got %v", err)
	}
}

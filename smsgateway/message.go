package smsgateway

import (
	"errors"
	"fmt"
	"log/slog"
	"time"

	"golang.org/x/text/language"

	"github.com/holdline/holdline/internal/message"
	"github.com/holdline/holdline/internal/phone"
)

// Message is one text as a gateway sends it.
type Message struct {
	ID         string // the text's; the same for every attempt
	Kind       message.TextKind
	Channel    message.Channel
	To         phone.Number // of a webhook's message: whom it is about
	Subject    string       // of a webhook's message
	Email      string       // where a webhook's message should end up
	Link       string       // of a notice: the one that Body holds
	Body       string
	Code       string        // the one that Body holds; blank in a notice
	Validity   time.Duration // of the code, as Body says it
	Language   string        // what the person reads: BCP 47 tags, best first; blank for the default
	Written    string        // the language of Body, as a BCP 47 tag
	IdentityID string
	ClaimID    string // the claim that it is about
	// Write makes Body anew in the best of some languages (BCP 47), and says which;
	// nil if it cannot be written anew.
	Write func(languages []string) (body, language string, err error)
}

// Format prints the id and the masked number for every verb.
func (m Message) Format(state fmt.State, _ rune) {
	_, _ = fmt.Fprintf(state, "text %s to %s", m.ID, m.To)
}

// LogValue prints the id and the masked number.
func (m Message) LogValue() slog.Value { return slog.StringValue(fmt.Sprint(m)) }

// Minutes is a code's remaining time as texts say it: whole minutes, at least one.
func Minutes(validity time.Duration) int { return max(1, int(validity/time.Minute)) }

// ParseLanguage reads a BCP 47 tag. "und" is no language.
func ParseLanguage(tag string) (language.Tag, error) {
	parsed, err := language.Parse(tag)
	if err == nil && parsed == language.Und {
		err = errors.New("is not a language")
	}
	return parsed, err
}

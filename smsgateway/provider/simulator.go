package provider

import (
	"context"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/holdline/holdline/smsgateway"
)

// Simulator is a gateway for development only: it keeps the last texts in
// memory and shows them, codes and all, as the screen of a telephone would.
type Simulator struct {
	keep int
	now  func() time.Time

	mu    sync.Mutex
	count int
	texts []Received // oldest first
}

// Received is a text on a telephone's screen: nothing is masked here.
type Received struct {
	To   string    `json:"to"`
	Body string    `json:"body"`
	At   time.Time `json:"at"`
	ID   string    `json:"id"`
}

// NewSimulator returns a telephone that keeps the newest texts.
func NewSimulator(keep int, now func() time.Time) *Simulator {
	return &Simulator{keep: max(1, keep), now: now}
}

// Send shows a text.
func (s *Simulator) Send(ctx context.Context, m smsgateway.Message) (string, error) {
	if err := ctx.Err(); err != nil {
		return "", err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.count++
	s.texts = append(s.texts, Received{To: m.To.Unmasked(), Body: m.Body, At: s.now(), ID: m.ID})
	if len(s.texts) > s.keep {
		s.texts = slices.Delete(s.texts, 0, len(s.texts)-s.keep)
	}
	return "simulated-" + strconv.Itoa(s.count), nil
}

// Texts returns what came, newest first.
func (s *Simulator) Texts() []Received {
	s.mu.Lock()
	defer s.mu.Unlock()
	texts := slices.Clone(s.texts)
	slices.Reverse(texts)
	return texts
}

package storetest

import (
	"context"
	"slices"

	"github.com/holdline/holdline/internal/message"
)

// Record implements message.Receipts.
func (s *Store) Record(_ context.Context, r message.Receipt) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	r.At = micro(r.At)
	alike := func(kept message.Receipt) bool { kept.At = r.At; return kept == r }
	if s.fail == nil && !slices.ContainsFunc(s.receipts, alike) {
		s.receipts = append(s.receipts, r)
	}
	return s.fail
}

// Receipts returns all receipts that are kept, in the order in which they came.
func (s *Store) Receipts() []message.Receipt {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.receipts)
}

// TextState implements claim.Claims.
func (s *Store) TextState(_ context.Context, claimID string) (message.TextState, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, t := range s.newestTexts() {
		if t.isCode() && t.Code.ClaimID == claimID {
			return t.state.With(s.receipt(t)), s.fail
		}
	}
	return "", s.fail
}

// receipt returns the state of the receipt that counts for a text. The caller
// holds the lock.
func (s *Store) receipt(t text) message.ReceiptState { return message.LastWord(s.receiptsOf(t)) }

// receiptsOf returns a text's receipts, oldest first. The caller holds the lock.
func (s *Store) receiptsOf(t text) []message.Receipt {
	var receipts []message.Receipt
	for _, r := range s.receipts {
		if r.Gateway == t.gateway && (r.Message == t.ID || r.Message == t.providerID) {
			receipts = append(receipts, r)
		}
	}
	slices.SortStableFunc(receipts, func(a, b message.Receipt) int { return a.At.Compare(b.At) })
	return receipts
}

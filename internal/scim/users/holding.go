package users

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/holdline/holdline/internal/phone"
	"github.com/holdline/holdline/internal/scim/filter"
)

// mostHolding bounds the users that Holding returns. Kratos keeps an address for one
// of them.
const mostHolding = 20

// Holding returns the users who have a telephone number, as far as the index knows.
func (s *Service) Holding(ctx context.Context, number phone.Number) ([]string, error) {
	value, err := json.Marshal(number.Unmasked())
	if err != nil {
		return nil, fmt.Errorf("find who has the number: %w", err)
	}
	wanted, err := filter.Parse("phoneNumbers.value eq "+string(value), filter.Limits{})
	if err != nil {
		return nil, fmt.Errorf("find who has the number: %w", err)
	}
	query := s.indexing.Query(wanted, "")
	query.Limit = mostHolding
	page, err := s.Index.Query(ctx, query)
	if err != nil {
		return nil, fmt.Errorf("find who has the number: %w", err)
	}
	var ids []string
	for _, entry := range page.Entries {
		ids = append(ids, entry.ID)
	}
	return ids, nil
}

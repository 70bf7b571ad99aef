package persistence_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/holdline/holdline/internal/message"
	"github.com/holdline/holdline/internal/problem"
	"github.com/holdline/holdline/persistence"
	"github.com/holdline/holdline/persistence/database/databasetest"
)

func TestAReceiptIsOneStatementAndSoIsLookingAtIt(t *testing.T) {
	databasetest.OnEach(t, func(t databasetest.Kind) {
		store, statements := persistence.NewStore(t.DB), databasetest.Record(t.DB)
		receipt := message.Receipt{Gateway: "main", Message: "m", State: message.ReceiptDelivered, Detail: "delivered", At: noon}
		for range 2 { // the second is known already
			if err := store.Record(t.Context(), receipt); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := store.TextState(t.Context(), "c"); err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, statement := range statements.Take() {
			got = append(got, strings.Fields(statement)[0])
		}
		if want := []string{"INSERT", "INSERT", "SELECT"}; !slices.Equal(got, want) {
			t.Errorf("asked %v, want %v", got, want)
		}
	})
}

func TestAReceiptFitsItsColumnsOrTheStoreIsAway(t *testing.T) {
	databasetest.OnEach(t, func(t databasetest.Kind) {
		store := persistence.NewStore(t.DB)
		long := strings.Repeat("ü", 300) + "\xff"
		receipt := message.Receipt{Gateway: long, Message: long, State: message.ReceiptDelivered, Detail: long, At: noon}
		if err := store.Record(t.Context(), receipt); err != nil {
			t.Error(err)
		}
		cancelled, cancel := context.WithCancel(t.Context())
		cancel()
		if err := store.Record(cancelled, receipt); !errors.Is(err, problem.ErrStoreUnavailable) {
			t.Errorf("got %v", err)
		}
	})
}

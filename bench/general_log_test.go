package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
)

func TestTheGeneralLogIsReadInTheOrderOfTheStatements(t *testing.T) {
	server := testServer(t)
	var want []string
	log, err := server.logged(t.Context(), func() error {
		conn, err := server.Conn(t.Context())
		if err != nil {
			return err
		}
		defer conn.Close()
		for n := range 200 {
			want = append(want, fmt.Sprintf("SELECT %d AS logged", n))
			if err := ask(t.Context(), conn, want[n]); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, line := range log {
		if strings.HasSuffix(line.text, " AS logged") {
			got = append(got, line.text)
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %q", got)
	}
}

// A log that stays on is paid for by all that is measured afterwards.
func TestTheGeneralLogEndsWithWhatFails(t *testing.T) {
	server := testServer(t)
	broken := errors.New("broken")
	for name, do := range map[string]func(cancel func()) error{
		"an error":       func(func()) error { return broken },
		"a cancellation": func(cancel func()) error { cancel(); return broken },
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			if _, err := server.logged(ctx, func() error { return do(cancel) }); !errors.Is(err, broken) {
				t.Errorf("got %v", err)
			}
			var on bool
			if err := server.QueryRowContext(t.Context(), "SELECT @@GLOBAL.general_log").Scan(&on); err != nil || on {
				t.Errorf("it is on: %v, %v", on, err)
			}
		})
	}
}

package main

import (
	"crypto/rand"
	"errors"
	"fmt"
	"os/user"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/holdline/holdline/app"
	"github.com/holdline/holdline/config"
	"github.com/holdline/holdline/internal/audit"
	"github.com/holdline/holdline/internal/auth"
	"github.com/holdline/holdline/internal/claim"
	"github.com/holdline/holdline/persistence"
	"github.com/holdline/holdline/persistence/database"
)

func tokenCommand() *cobra.Command {
	return group("token", "Manage clients' bearer tokens", createTokenCommand(), listTokensCommand(), revokeTokenCommand())
}

func createTokenCommand() *cobra.Command {
	var name, expires string
	var scopes []string
	var privileged bool
	cmd := tokenStoreCommand("create", "Make a token, and print it once", func(cmd *cobra.Command, s tokenStore) error {
		var secret auth.TokenSecret
		_, _ = rand.Read(secret[:]) // never fails, see crypto/rand
		text := secret.Mint()
		wanted := make([]auth.Scope, len(scopes))
		for i, scope := range scopes {
			wanted[i] = auth.Scope(scope)
		}
		token, err := auth.NewToken(name, auth.DigestToken(text), wanted, privileged, s.now)
		if err != nil {
			return err
		}
		if token.ExpiresAt, err = config.ParseExpires(expires); err != nil {
			return fmt.Errorf("--expires %w", err)
		}
		if token.Expired(s.now) {
			return errors.New("--expires is over already")
		}
		if s.configured(name) {
			return fmt.Errorf("the configuration has a token named %s: take another name, or remove it there", name)
		}
		err = s.Create(cmd.Context(), token, token.Event(auth.TokenCreated, operator(), s.now), nil)
		if errors.Is(err, claim.ErrExists) {
			return fmt.Errorf("a token named %s is in force: revoke it first, or take another name", name)
		}
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(cmd.OutOrStdout(), "token: %s\nsha256: %s\n", text, token.Digest)
		return err
	})
	cmd.Flags().StringVar(&name, "name", "", "`name` of the client, as it stands in the audit trail")
	cmd.Flags().StringSliceVar(&scopes, "scope", nil, "what the token allows, a `scope` once for each: "+strings.Trim(fmt.Sprint(auth.Scopes()), "[]"))
	cmd.Flags().StringVar(&expires, "expires", "", "last `day` of the token, in UTC, such as 2027-06-30, or its end (RFC 3339); blank for none")
	cmd.Flags().BoolVar(&privileged, "privileged", false, "the client's changes are those of a privileged user")
	cmd.Example = "  holdline token create --config holdline.yml --name okta --scope scim:read --scope scim:write\n" +
		"  holdline token create --config holdline.yml --name anna --scope claims:manage   # opens the console"
	return cmd
}

func listTokensCommand() *cobra.Command {
	return tokenStoreCommand("list", "List the tokens, those of the configuration too", func(cmd *cobra.Command, s tokenStore) error {
		kept, err := s.List(cmd.Context())
		if err != nil {
			return err
		}
		table := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 2, ' ', 0)
		line := func(columns ...string) { _, _ = fmt.Fprintln(table, strings.Join(columns, "\t")) } // Flush tells
		line("NAME", "STATE", "PRIVILEGED", "SCOPES", "CREATED", "EXPIRES", "LAST USED")
		for _, t := range s.cfg.Tokens {
			ends, _ := config.ParseExpires(t.Expires) // loading has checked it
			state := "configured"
			if (auth.Token{ExpiresAt: ends}).Expired(s.now) {
				state = "configured, expired"
			}
			line(t.Name, state, yes(t.Privileged), strings.Join(t.Scopes, ","), "-", moment(ends), "-")
		}
		for _, t := range kept {
			state := "in force"
			if t.Expired(s.now) {
				state = "expired"
			}
			if !t.RevokedAt.IsZero() {
				state = "revoked " + moment(t.RevokedAt)
			}
			scopes := strings.Join(strings.Fields(strings.Trim(fmt.Sprint(t.Scopes), "[]")), ",")
			line(t.Name, state, yes(t.Privileged), scopes, moment(t.CreatedAt), moment(t.ExpiresAt), moment(t.LastUsed))
		}
		return table.Flush()
	})
}

func revokeTokenCommand() *cobra.Command {
	var name string
	cmd := tokenStoreCommand("revoke", "End a token; every replica knows within 5 seconds", func(cmd *cobra.Command, s tokenStore) error {
		err := s.Revoke(cmd.Context(), name, false, operator(), s.now)
		switch {
		case s.configured(name) && (err == nil || errors.Is(err, auth.ErrNoToken)):
			return fmt.Errorf("the configuration has a token named %s, which goes on: remove it there, and restart", name)
		case errors.Is(err, auth.ErrNoToken):
			return fmt.Errorf("no token named %q is in force", name)
		}
		return err
	})
	cmd.Flags().StringVar(&name, "name", "", "`name` of the client")
	return cmd
}

// tokenStore is what the commands work with.
type tokenStore struct {
	persistence.Tokens
	cfg config.Config
	now time.Time // the database's
}

// configured reports whether the configuration has a token of that name.
func (s tokenStore) configured(name string) bool {
	for _, t := range s.cfg.Tokens {
		if t.Name == name {
			return true
		}
	}
	return false
}

// tokenStoreCommand needs a database whose schema is up to date.
func tokenStoreCommand(use, short string, do func(*cobra.Command, tokenStore) error) *cobra.Command {
	return databaseCommand(use, short, func(cmd *cobra.Command, cfg config.Config, db *database.DB) error {
		clock, err := app.Prepare(cmd.Context(), db, cfg.AutoMigrate())
		if err != nil {
			return err
		}
		return do(cmd, tokenStore{persistence.NewTokens(db), cfg, clock.Now()})
	})
}

// operator is whoever runs the command, as the system knows them.
func operator() audit.Actor {
	who := audit.Actor{Kind: audit.Operator}
	if u, err := user.Current(); err == nil {
		who.ID = u.Username
	}
	return who
}

func yes(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

// moment prints a time to the second, or a dash for never.
func moment(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.UTC().Format(time.RFC3339)
}

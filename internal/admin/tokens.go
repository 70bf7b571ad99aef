package admin

import (
	"context"
	"errors"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/holdline/holdline/internal/audit"
	"github.com/holdline/holdline/internal/auth"
	"github.com/holdline/holdline/internal/claim"
)

// Tokens are those that are kept. A [auth.Tokens] is it.
type Tokens interface {
	List(ctx context.Context) ([]auth.Token, error)
	Create(ctx context.Context, t auth.Token, e audit.Event, allow func(kept []auth.Token) error) error
	Revoke(ctx context.Context, name string, withMade bool, who audit.Actor, at time.Time) error
}

// TokenWish is what a token is to be made of.
type TokenWish struct {
	Name       string
	Scopes     []auth.Scope
	Privileged bool
	ExpiresAt  time.Time // zero for never
}

// TokenError is [ErrBadToken] with its reason, which may be shown.
type TokenError struct{ Why string }

func (e *TokenError) Error() string { return e.Why }

// Unwrap returns ErrBadToken.
func (e *TokenError) Unwrap() error { return ErrBadToken }

// personsID is how the audit trail names administrators who have no token.
var personsID = regexp.MustCompile(`^[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$`)

// FindTokens returns the tokens of the configuration, and those that are kept.
func (d *Service) FindTokens(ctx context.Context) (configured, kept []auth.Token, err error) {
	kept, err = d.Tokens.List(ctx)
	return d.Configured, kept, err
}

// MakeToken makes a token that allows no more than its maker may do. Its text is kept nowhere. Errors:
// a *TokenError, ErrMoreThanOwn and ErrTokenTaken.
func (d *Service) MakeToken(ctx context.Context, wish TokenWish, who auth.Administrator) (text string, made auth.Token, err error) {
	if personsID.MatchString(wish.Name) {
		return "", auth.Token{}, &TokenError{"The name must not look like a person's id: the audit trail names administrators by either."}
	}
	now := d.Now()
	text = d.NewToken().Mint()
	made, err = auth.NewToken(wish.Name, auth.DigestToken(text), wish.Scopes, wish.Privileged, now)
	if err != nil {
		why := strings.ReplaceAll(err.Error(), "\n", "; ")
		return "", auth.Token{}, &TokenError{strings.ToUpper(why[:1]) + why[1:] + "."}
	}
	made.ExpiresAt, made.CreatedBy = wish.ExpiresAt, who.ID
	if made.Expired(now) {
		return "", auth.Token{}, &TokenError{"The end must be a time to come."}
	}
	if who.MayGive(made) != nil {
		return "", auth.Token{}, ErrMoreThanOwn
	}
	if slices.ContainsFunc(d.Configured, func(t auth.Token) bool { return t.Name == made.Name }) {
		return "", auth.Token{}, ErrTokenTaken
	}
	err = d.Tokens.Create(ctx, made, made.Event(auth.TokenCreated, who.Actor, now), func(kept []auth.Token) error {
		if !inForce(slices.Concat(d.Configured, kept), who, now) {
			return ErrMoreThanOwn
		}
		return keepsMakers(kept, made.Name, now)
	})
	if errors.Is(err, claim.ErrExists) {
		err = ErrTokenTaken
	}
	return text, made, err
}

// inForce reports whether a maker is still let in: a replica that has looked seconds ago takes a
// token that was revoked since. A person has none.
func inForce(all []auth.Token, who auth.Administrator, now time.Time) bool {
	named := func(t auth.Token) bool { return t.Name == who.ID }
	return !slices.ContainsFunc(all, named) || slices.ContainsFunc(all, func(t auth.Token) bool { return named(t) && t.InForce(now) })
}

// keepsMakers refuses the name of an earlier token while any that it made is in force: with the
// name who made the maker would be forgotten, and [Service.RevokeToken] would leave them out.
func keepsMakers(kept []auth.Token, name string, now time.Time) error {
	i := slices.IndexFunc(kept, func(t auth.Token) bool { return t.Name == name && !t.InForce(now) })
	if i < 0 || len(auth.MadeBy(kept, kept[i], now)) == 0 {
		return nil
	}
	return &TokenError{"An earlier token of this name made others that are in force. Revoke them first, or take another name."}
}

// TokenFound is a token in force, and what else hangs on it.
type TokenFound struct {
	Token      auth.Token
	Configured bool         // a token of this name goes on, because the configuration has it
	Made       []auth.Token // in force, by this token or by one that it made
}

// FindToken returns a token that is kept and was not revoked. Error: ErrNoToken.
func (d *Service) FindToken(ctx context.Context, name string) (TokenFound, error) {
	kept, err := d.Tokens.List(ctx)
	if err != nil {
		return TokenFound{}, err
	}
	i := slices.IndexFunc(kept, func(t auth.Token) bool { return t.Name == name && t.RevokedAt.IsZero() })
	if i < 0 {
		return TokenFound{}, ErrNoToken
	}
	configured := slices.ContainsFunc(d.Configured, func(t auth.Token) bool { return t.Name == name })
	return TokenFound{kept[i], configured, auth.MadeBy(kept, kept[i], d.Now())}, nil
}

// RevokeToken revokes a token, and with it, if that is wanted, those that it made. Any administrator
// may revoke any. Error: ErrNoToken.
func (d *Service) RevokeToken(ctx context.Context, name string, withMade bool, who audit.Actor) error {
	err := d.Tokens.Revoke(ctx, name, withMade, who, d.Now())
	if errors.Is(err, auth.ErrNoToken) {
		return ErrNoToken
	}
	return err
}

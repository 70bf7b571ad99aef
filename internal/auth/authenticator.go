package auth

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/holdline/holdline/internal/ratelimit"
)

const (
	// clientFresh is how long a token's lookup is believed, and so how long a
	// revoked token may go on.
	clientFresh = 5 * time.Second
	// usedEvery is how often a token's use is noted.
	usedEvery = time.Minute
)

// Options are what an [Authenticator] needs.
type Options struct {
	Tokens Tokens
	// Configured tokens are in force without being kept; they are not counted, and
	// their use is not noted.
	Configured []Token
	// Failures bound the wrong tokens of one client address; no bound needs no
	// Limiter.
	Failures ratelimit.Limit
	Limiter  ratelimit.Limiter
	// HashKey hashes the addresses that the limiter counts by. Replicas count
	// together if they have the same.
	HashKey []byte
	Now     func() time.Time
	Log     *slog.Logger
}

// Authenticator knows which client a token is of.
type Authenticator struct {
	opt        Options
	configured map[TokenDigest]Token

	mu    sync.Mutex
	known map[TokenDigest]client // tokens that were good when they were last looked up
}

// client is a token that was looked up.
type client struct {
	token Token
	until time.Time // how long the lookup is believed
	used  time.Time // when its use was last noted
}

// New returns an authenticator of configured and kept tokens.
func New(opt Options) *Authenticator {
	c := &Authenticator{opt: opt, configured: map[TokenDigest]Token{}, known: map[TokenDigest]client{}}
	for _, t := range opt.Configured {
		c.configured[t.Digest] = t
	}
	return c
}

// Configured returns the tokens that are in force without being kept, by name.
func (c *Authenticator) Configured() []Token {
	return slices.SortedFunc(maps.Values(c.configured), func(a, b Token) int { return cmp.Compare(a.Name, b.Name) })
}

// Recognises reports whether a bearer token is meant for Holdline, good or not,
// rather than being a session's.
func (c *Authenticator) Recognises(token string) bool {
	_, configured := c.configured[DigestToken(token)]
	return configured || len(token) > len(tokenPrefix) && token[:len(tokenPrefix)] == tokenPrefix
}

// Client returns the token in force that this text is. Errors: ErrNoToken, a
// *problem.LimitError (ErrTooManyTries), or one that wraps problem.ErrStoreUnavailable.
//
// A try is taken of the address before anything unknown is looked up, and given
// back unless the token was wrong: so no guess is free, not even beside many
// others at once. A token that was good before is looked up without one, so that
// nobody who shares a client's address can keep it out by guessing.
func (c *Authenticator) Client(ctx context.Context, token, address string) (Token, error) {
	digest, now := DigestToken(token), c.opt.Now()
	configured, ok := c.configured[digest]
	if ok && !configured.Expired(now) {
		return configured, nil
	}
	if ok {
		c.expired(ctx, configured)
	}
	known, ok := c.recall(digest)
	found, err := known.token, error(nil)
	switch {
	case !ok:
		found, err = c.guess(ctx, token, address, now)
	case !now.Before(known.until):
		found, err = c.look(ctx, digest, now)
	}
	if err != nil {
		return Token{}, err
	}
	c.note(ctx, digest, now)
	return found, nil
}

// Known returns the token in force that has this digest, for who has shown the
// token before. Errors: ErrNoToken, or one that wraps problem.ErrStoreUnavailable.
func (c *Authenticator) Known(ctx context.Context, digest TokenDigest) (Token, error) {
	t, ok := c.configured[digest]
	if !ok {
		var err error
		if t, err = c.opt.Tokens.Find(ctx, digest); err != nil {
			return Token{}, err
		}
	}
	if t.Expired(c.opt.Now()) {
		return Token{}, ErrNoToken
	}
	return t, nil
}

// expired says in the log whose token opens nothing any more. To the client it is
// like any that is not known.
func (c *Authenticator) expired(ctx context.Context, t Token) {
	c.opt.Log.WarnContext(ctx, "expired token refused", "token", t.Name, "expired", t.ExpiresAt)
}

func (c *Authenticator) recall(digest TokenDigest) (client, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	known, ok := c.known[digest]
	return known, ok
}

func (c *Authenticator) guess(ctx context.Context, token, address string, now time.Time) (Token, error) {
	limited, name := c.opt.Failures.Bounded(), c.tries(address)
	if limited {
		if err := c.opt.Limiter.Take(ctx, name, c.opt.Failures, now); err != nil {
			return Token{}, fmt.Errorf("count a try: %w", err)
		}
	}
	if !minted(token) {
		return Token{}, ErrNoToken
	}
	found, err := c.look(ctx, DigestToken(token), now)
	if limited && !errors.Is(err, ErrNoToken) {
		if fault := c.opt.Limiter.GiveBack(ctx, name, c.opt.Failures, now); fault != nil {
			c.opt.Log.WarnContext(ctx, "a token counts as a wrong one", "error", fault)
		}
	}
	return found, err
}

// tries names the wrong tokens of an address.
func (c *Authenticator) tries(address string) string {
	return ratelimit.HashedName(c.opt.HashKey, "token", ratelimit.Network(address))
}

// look asks the store, and remembers a good answer from before the question on.
func (c *Authenticator) look(ctx context.Context, digest TokenDigest, now time.Time) (Token, error) {
	found, err := c.opt.Tokens.Find(ctx, digest)
	if err == nil && found.Expired(now) {
		c.expired(ctx, found)
		found, err = Token{}, ErrNoToken
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case errors.Is(err, ErrNoToken):
		delete(c.known, digest)
	case err == nil:
		used := c.known[digest].used
		if found.LastUsed.After(used) {
			used = found.LastUsed
		}
		until := now.Add(clientFresh)
		if !found.ExpiresAt.IsZero() && found.ExpiresAt.Before(until) {
			until = found.ExpiresAt
		}
		c.known[digest] = client{token: found, until: until, used: used}
	}
	return found, err
}

// note writes down that a token is used, once a minute.
func (c *Authenticator) note(ctx context.Context, digest TokenDigest, now time.Time) {
	c.mu.Lock()
	known, ok := c.known[digest]
	due := ok && now.Sub(known.used) >= usedEvery
	if due {
		known.used = now
		c.known[digest] = known
	}
	c.mu.Unlock()
	if !due {
		return
	}
	if err := c.opt.Tokens.Used(ctx, digest, now); err != nil {
		c.opt.Log.WarnContext(ctx, "use of a token not noted", "token", known.token.Name, "error", err)
	}
}

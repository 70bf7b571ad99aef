package client

import (
	"context"
	"net/http"
	"net/url"
	"time"
)

// Token is the right of a client or administrator to call; its text is kept nowhere.
type Token struct {
	Name       string    `json:"name"`
	Scopes     []string  `json:"scopes"`
	Privileged bool      `json:"privileged"`
	Configured bool      `json:"configured,omitempty"` // cannot be revoked here
	InForce    bool      `json:"in_force"`
	CreatedAt  time.Time `json:"created_at,omitzero"`
	CreatedBy  string    `json:"created_by,omitempty"` // blank for a command
	LastUsedAt time.Time `json:"last_used_at,omitzero"`
	ExpiresAt  time.Time `json:"expires_at,omitzero"`
	RevokedAt  time.Time `json:"revoked_at,omitzero"`
}

// TokenWish is what a token is to be made of; zero ExpiresAt is never.
type TokenWish struct {
	Name       string    `json:"name"`
	Scopes     []string  `json:"scopes"`
	Privileged bool      `json:"privileged,omitempty"`
	ExpiresAt  time.Time `json:"expires_at,omitzero"`
}

// TokenMade is a token with its text, which no other answer has.
type TokenMade struct {
	Token
	Text string `json:"token"`
}

// Tokens lists tokens, those of the configuration first.
func (c Client) Tokens(ctx context.Context) ([]Token, error) {
	page, err := list[Token](ctx, c, "/admin/tokens", nil)
	return page.Items, err
}

// MakeToken makes a token that allows no more than the caller's own.
func (c Client) MakeToken(ctx context.Context, wish TokenWish) (TokenMade, error) {
	var made TokenMade
	err := c.call(ctx, http.MethodPost, "/admin/tokens", wish, &made)
	return made, err
}

// RevokeToken revokes a token and, if that is wanted, those that it made.
func (c Client) RevokeToken(ctx context.Context, name string, withMade bool) error {
	values := url.Values{}
	if withMade {
		values.Set("with_made", "true")
	}
	return c.call(ctx, http.MethodDelete, query("/admin/tokens/"+url.PathEscape(name), values), nil, nil)
}

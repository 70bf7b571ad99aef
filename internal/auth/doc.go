// Package auth proves who calls: the tokens of API clients with their scopes, and the
// sessions of administrators. Wrong guesses are limited by address.
package auth

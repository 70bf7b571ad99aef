-- +goose Up
CREATE TABLE tokens (
  name         TEXT    NOT NULL,
  sha256       TEXT    NOT NULL, -- of the whole token, in hexadecimal digits; the token is kept nowhere
  scopes       TEXT    NOT NULL, -- separated by blanks
  privileged   BOOLEAN NOT NULL,
  created_at   TEXT    NOT NULL,
  last_used_at TEXT    NULL, -- to about a minute
  revoked_at   TEXT    NULL,
  PRIMARY KEY (name)
);
CREATE UNIQUE INDEX tokens_sha256 ON tokens (sha256);

-- +goose Up
CREATE TABLE admin_sessions (
  digest      TEXT NOT NULL, -- SHA-256 of the secret, in hexadecimal digits; the secret is kept nowhere
  token       TEXT NOT NULL, -- sha256 of tokens, or blank for a session of a person
  identity_id TEXT NOT NULL, -- blank for a session of a token
  name        TEXT NOT NULL,
  created_at  TEXT NOT NULL,
  seen_at     TEXT NOT NULL, -- to about a minute
  PRIMARY KEY (digest)
);
CREATE INDEX admin_sessions_seen ON admin_sessions (seen_at);

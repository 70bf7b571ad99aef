-- +goose Up
CREATE TABLE settings (
  name   TEXT NOT NULL, -- as in the configuration
  value  TEXT NOT NULL,
  set_by TEXT NOT NULL, -- the name of a token, or an identity
  set_at TEXT NOT NULL,
  PRIMARY KEY (name)
);

-- +goose Up
CREATE TABLE claims (
  id            TEXT    NOT NULL,
  identity_id   TEXT    NOT NULL,
  held_identity TEXT    NULL, -- identity_id while open or verified: one for each identity
  flow_id       TEXT    NOT NULL,
  origin        TEXT    NOT NULL,
  number        TEXT    NOT NULL,
  was           TEXT    NOT NULL,
  state         TEXT    NOT NULL,
  version       INTEGER NOT NULL,
  reason        TEXT    NOT NULL,
  code_key      TEXT    NOT NULL,
  code_number   INTEGER NOT NULL,
  code_expires  TEXT    NULL,
  attempts      INTEGER NOT NULL,
  texts         INTEGER NOT NULL,
  next_text     TEXT    NULL,
  last_address  TEXT    NOT NULL,
  marker        TEXT    NOT NULL,
  due_at        TEXT    NULL,
  due_tries     INTEGER NOT NULL,
  created_at    TEXT    NOT NULL,
  lapses_at     TEXT    NULL,
  ended_at      TEXT    NULL,
  PRIMARY KEY (id)
);
CREATE UNIQUE INDEX claims_held ON claims (held_identity);
CREATE INDEX claims_identity ON claims (identity_id, ended_at);
CREATE INDEX claims_due ON claims (due_at);
CREATE INDEX claims_ended ON claims (ended_at);

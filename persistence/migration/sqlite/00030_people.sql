-- +goose Up
CREATE TABLE IF NOT EXISTS people (
  place       INTEGER PRIMARY KEY, -- a hash of identity_id
  identity_id TEXT    NOT NULL,
  terms       TEXT    NOT NULL, -- personal data: the lines of people_terms
  number_key  TEXT    NOT NULL, -- which key hashes the numbers
  seen_at     TEXT    NOT NULL  -- when Kratos was asked
);
CREATE UNIQUE INDEX IF NOT EXISTS people_identity ON people (identity_id);
CREATE INDEX IF NOT EXISTS people_seen ON people (seen_at);
CREATE INDEX IF NOT EXISTS people_key ON people (number_key);
CREATE TABLE IF NOT EXISTS people_terms (
  term  BLOB    NOT NULL, -- personal data: words, and keyed hashes of numbers and their pieces
  place INTEGER NOT NULL, -- of people
  PRIMARY KEY (term, place)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS progress (
  name   TEXT NOT NULL, -- of work that goes through rows once
  moment TEXT NOT NULL, -- created_at of the last row
  row_id TEXT NOT NULL, -- id of the last row
  PRIMARY KEY (name)
);

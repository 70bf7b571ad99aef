-- +goose Up
CREATE TABLE people (
  place       BIGINT      NOT NULL, -- a hash of identity_id
  identity_id VARCHAR(64) COLLATE "C" NOT NULL,
  terms       TEXT        COLLATE "C" NOT NULL, -- personal data: the lines of people_terms
  number_key  VARCHAR(64) COLLATE "C" NOT NULL, -- which key hashes the numbers
  seen_at     TIMESTAMPTZ(6) NOT NULL, -- when Kratos was asked
  PRIMARY KEY (place)
);
CREATE UNIQUE INDEX people_identity ON people (identity_id);
CREATE INDEX people_seen ON people (seen_at);
CREATE INDEX people_key ON people (number_key);
CREATE TABLE people_terms (
  term  BYTEA  NOT NULL, -- personal data: words, and keyed hashes of numbers and their pieces
  place BIGINT NOT NULL, -- of people
  PRIMARY KEY (term, place)
);
CREATE TABLE progress (
  name   VARCHAR(64) COLLATE "C" NOT NULL, -- of work that goes through rows once
  moment TIMESTAMPTZ(6) NOT NULL, -- created_at of the last row
  row_id VARCHAR(64) COLLATE "C" NOT NULL, -- id of the last row
  PRIMARY KEY (name)
);

-- +goose Up
CREATE TABLE texts (
  id           TEXT    NOT NULL,
  claim_id     TEXT    NOT NULL,
  identity_id  TEXT    NOT NULL,
  number       TEXT    NOT NULL,
  number_key   TEXT    NOT NULL, -- the dialling characters alone
  code_key     TEXT    NOT NULL,
  code_number  INTEGER NOT NULL,
  code_expires TEXT    NULL,
  validity_us  INTEGER NOT NULL,
  language     TEXT    NOT NULL,
  address      TEXT    NOT NULL,
  state        TEXT    NOT NULL,
  due_at       TEXT    NOT NULL, -- the end of a lease or of a put-off
  tries        INTEGER NOT NULL,
  gateway      TEXT    NOT NULL,
  provider_id  TEXT    NOT NULL,
  reason       TEXT    NOT NULL,
  created_at   TEXT    NOT NULL,
  done_at      TEXT    NULL,
  PRIMARY KEY (id)
);
CREATE INDEX texts_claim ON texts (claim_id, created_at);
CREATE INDEX texts_identity ON texts (identity_id, created_at);
CREATE INDEX texts_number ON texts (number_key, created_at);
CREATE INDEX texts_address ON texts (address, created_at);
CREATE INDEX texts_due ON texts (state, due_at);

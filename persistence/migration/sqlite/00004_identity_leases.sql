-- +goose Up
CREATE TABLE identity_leases (
  identity_id TEXT    NOT NULL,
  owner       TEXT    NOT NULL,
  claim_id    TEXT    NOT NULL, -- the verified claim that it ends with, or blank
  ends_at     TEXT    NOT NULL,
  PRIMARY KEY (identity_id)
);
CREATE INDEX identity_leases_end ON identity_leases (ends_at);

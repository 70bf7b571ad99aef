-- +goose Up
CREATE TABLE audit_events (
  id            INTEGER PRIMARY KEY AUTOINCREMENT,
  claim_id      TEXT    NOT NULL,
  identity_id   TEXT    NOT NULL,
  kind          TEXT    NOT NULL,
  actor_kind    TEXT    NOT NULL,
  actor_id      TEXT    NOT NULL,
  actor_address TEXT    NOT NULL,
  number        TEXT    NOT NULL, -- masked
  reason        TEXT    NOT NULL,
  happened_at   TEXT    NOT NULL
);
CREATE INDEX audit_events_claim ON audit_events (claim_id);
CREATE INDEX audit_events_identity ON audit_events (identity_id, happened_at);

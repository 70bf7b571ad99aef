-- +goose Up
CREATE TABLE IF NOT EXISTS scim_walks (
  id      TEXT    NOT NULL, -- of a sorted list that is read by cursor: its order may change meanwhile
  part    INTEGER NOT NULL,
  reader  TEXT    NOT NULL, -- a digest of who reads it
  places  BLOB    NOT NULL, -- of scim_users or scim_groups, in the order of the list, 8 bytes each
  ends_at TEXT    NOT NULL,
  PRIMARY KEY (id, part)
);
CREATE INDEX IF NOT EXISTS scim_walks_reader ON scim_walks (reader, ends_at);
CREATE INDEX IF NOT EXISTS scim_walks_end ON scim_walks (ends_at);

-- +goose Up
CREATE TABLE scim_walks (
  id      VARCHAR(64) COLLATE "C" NOT NULL, -- of a sorted list that is read by cursor: its order may change meanwhile
  part    INTEGER     NOT NULL,
  reader  VARCHAR(64) COLLATE "C" NOT NULL, -- a digest of who reads it
  places  BYTEA       NOT NULL, -- of scim_users or scim_groups, in the order of the list, 8 bytes each
  ends_at TIMESTAMPTZ(6) NOT NULL,
  PRIMARY KEY (id, part)
);
CREATE INDEX scim_walks_reader ON scim_walks (reader, ends_at);
CREATE INDEX scim_walks_end ON scim_walks (ends_at);

-- +goose Up
CREATE TABLE scim_users (
  place        INTEGER PRIMARY KEY, -- the order of lists: a hash of id
  id           TEXT    NOT NULL, -- the identity
  version      TEXT    NOT NULL,
  document     TEXT    NOT NULL, -- personal data: the resource as JSON
  external_ids TEXT    NOT NULL, -- personal data: JSON, by the name of the client
  found_by     TEXT    NOT NULL, -- the lines of scim_values, as JSON
  updated_at   TEXT    NULL,
  seen_at      TEXT    NOT NULL,
  writes       INTEGER NOT NULL
);
CREATE UNIQUE INDEX scim_users_id ON scim_users (id);
CREATE INDEX scim_users_seen ON scim_users (seen_at);

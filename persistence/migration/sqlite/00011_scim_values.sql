-- +goose Up
CREATE TABLE scim_values (
  path      BLOB    NOT NULL,
  value_key BLOB    NOT NULL, -- personal data
  place     INTEGER NOT NULL, -- of scim_users
  PRIMARY KEY (path, value_key, place)
) WITHOUT ROWID;

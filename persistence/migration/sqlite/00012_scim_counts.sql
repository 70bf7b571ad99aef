-- +goose Up
CREATE TABLE scim_counts (
  bucket INTEGER NOT NULL PRIMARY KEY, -- the leading bits of place in scim_users
  users  INTEGER NOT NULL
);

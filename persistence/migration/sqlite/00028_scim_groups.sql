-- +goose Up
CREATE TABLE IF NOT EXISTS scim_groups (
  place      INTEGER PRIMARY KEY, -- the order of lists: the first 64 bits of id, which begin with the time
  id         TEXT    NOT NULL,
  name       TEXT    NOT NULL, -- displayName
  name_key   BLOB    NOT NULL, -- name in one case: what it is found by
  version    INTEGER NOT NULL,
  writes     INTEGER NOT NULL,
  created_at TEXT    NOT NULL,
  updated_at TEXT    NOT NULL
);
CREATE UNIQUE INDEX IF NOT EXISTS scim_groups_id ON scim_groups (id);
CREATE UNIQUE INDEX IF NOT EXISTS scim_groups_name ON scim_groups (name_key);
CREATE TABLE IF NOT EXISTS scim_members (
  group_place INTEGER NOT NULL, -- of scim_groups, or of one that was deleted a moment ago
  user_id     TEXT    NOT NULL, -- the identity
  PRIMARY KEY (group_place, user_id)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS scim_members_user ON scim_members (user_id, group_place);
CREATE TABLE IF NOT EXISTS scim_group_external_ids (
  client       TEXT    NOT NULL, -- the name of the token
  group_place  INTEGER NOT NULL,
  external_id  TEXT    NOT NULL,
  external_key BLOB    NOT NULL,
  PRIMARY KEY (client, group_place)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS scim_group_external_ids_key ON scim_group_external_ids (client, external_key);
CREATE INDEX IF NOT EXISTS scim_group_external_ids_group ON scim_group_external_ids (group_place);

-- +goose Up
CREATE TABLE IF NOT EXISTS scim_group_tasks (
  group_place INTEGER PRIMARY KEY, -- of a group that was renamed or deleted, whose members have to hear of it
  deleted     INTEGER NOT NULL, -- 1 if the group is gone, and its members follow
  name        TEXT    NOT NULL, -- of the group, for the audit trail
  after_user  TEXT    NOT NULL, -- how far it is done
  changes     INTEGER NOT NULL -- how often it was asked for
);
CREATE TABLE IF NOT EXISTS scim_identity_tasks (
  user_id TEXT    NOT NULL PRIMARY KEY, -- an identity that may not show the names of its groups
  due_at  TEXT    NOT NULL,
  tries   INTEGER NOT NULL,
  changes INTEGER NOT NULL -- how often it was asked for
);
CREATE INDEX IF NOT EXISTS scim_identity_tasks_due ON scim_identity_tasks (due_at);

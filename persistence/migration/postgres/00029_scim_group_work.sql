-- +goose Up
CREATE TABLE scim_group_tasks (
  group_place BIGINT       NOT NULL, -- of a group that was renamed or deleted, whose members have to hear of it
  deleted     INTEGER      NOT NULL, -- 1 if the group is gone, and its members follow
  name        VARCHAR(256) COLLATE "C" NOT NULL, -- of the group, for the audit trail
  after_user  VARCHAR(64)  COLLATE "C" NOT NULL, -- how far it is done
  changes     BIGINT       NOT NULL, -- how often it was asked for
  PRIMARY KEY (group_place)
);
CREATE TABLE scim_identity_tasks (
  user_id VARCHAR(64) COLLATE "C" NOT NULL, -- an identity that may not show the names of its groups
  due_at  TIMESTAMPTZ(6) NOT NULL,
  tries   INTEGER     NOT NULL,
  changes BIGINT      NOT NULL, -- how often it was asked for
  PRIMARY KEY (user_id)
);
CREATE INDEX scim_identity_tasks_due ON scim_identity_tasks (due_at);

-- +goose NO TRANSACTION
-- +goose Up
CREATE TABLE IF NOT EXISTS scim_group_tasks (
  group_place BIGINT      NOT NULL COMMENT 'of a group that was renamed or deleted, whose members have to hear of it',
  deleted     INT         NOT NULL COMMENT '1 if the group is gone, and its members follow',
  name        VARCHAR(256) NOT NULL COMMENT 'of the group, for the audit trail',
  after_user  VARCHAR(64) NOT NULL COMMENT 'how far it is done',
  changes     BIGINT      NOT NULL COMMENT 'how often it was asked for',
  PRIMARY KEY (group_place)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
CREATE TABLE IF NOT EXISTS scim_identity_tasks (
  user_id VARCHAR(64) NOT NULL COMMENT 'an identity that may not show the names of its groups',
  due_at  DATETIME(6) NOT NULL,
  tries   INT         NOT NULL,
  changes BIGINT      NOT NULL COMMENT 'how often it was asked for',
  PRIMARY KEY (user_id),
  KEY scim_identity_tasks_due (due_at)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- +goose NO TRANSACTION
-- +goose Up
CREATE TABLE IF NOT EXISTS scim_groups (
  place      BIGINT         NOT NULL COMMENT 'the order of lists: the first 64 bits of id, which begin with the time',
  id         VARCHAR(64)    NOT NULL,
  name       VARCHAR(256)   NOT NULL COMMENT 'displayName',
  name_key   VARBINARY(160) NOT NULL COMMENT 'name in one case: what it is found by',
  version    BIGINT         NOT NULL,
  writes     BIGINT         NOT NULL,
  created_at DATETIME(6)    NOT NULL,
  updated_at DATETIME(6)    NOT NULL,
  PRIMARY KEY (place),
  UNIQUE KEY scim_groups_id (id),
  UNIQUE KEY scim_groups_name (name_key)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
CREATE TABLE IF NOT EXISTS scim_members (
  group_place BIGINT      NOT NULL COMMENT 'of scim_groups, or of one that was deleted a moment ago',
  user_id     VARCHAR(64) NOT NULL COMMENT 'the identity',
  PRIMARY KEY (group_place, user_id),
  KEY scim_members_user (user_id, group_place)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
CREATE TABLE IF NOT EXISTS scim_group_external_ids (
  client       VARCHAR(128)   NOT NULL COMMENT 'the name of the token',
  group_place  BIGINT         NOT NULL,
  external_id  VARCHAR(512)   NOT NULL,
  external_key VARBINARY(160) NOT NULL,
  PRIMARY KEY (client, group_place),
  KEY scim_group_external_ids_key (client, external_key),
  KEY scim_group_external_ids_group (group_place)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

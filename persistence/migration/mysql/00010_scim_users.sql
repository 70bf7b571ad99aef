-- +goose NO TRANSACTION
-- +goose Up
CREATE TABLE IF NOT EXISTS scim_users (
  place        BIGINT       NOT NULL COMMENT 'the order of lists: a hash of id',
  id           VARCHAR(64)  NOT NULL COMMENT 'the identity',
  version      VARCHAR(64)  NOT NULL,
  document     MEDIUMTEXT   NOT NULL COMMENT 'personal data: the resource as JSON',
  external_ids TEXT         NOT NULL COMMENT 'personal data: JSON, by the name of the client',
  found_by     MEDIUMTEXT   NOT NULL COMMENT 'the lines of scim_values, as JSON',
  updated_at   DATETIME(6)  NULL,
  seen_at      DATETIME(6)  NOT NULL,
  writes       BIGINT       NOT NULL,
  PRIMARY KEY (place),
  UNIQUE KEY scim_users_id (id),
  KEY scim_users_place (place), -- narrow: to pass over users without their documents
  KEY scim_users_seen (seen_at)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

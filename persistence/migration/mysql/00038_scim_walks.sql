-- +goose NO TRANSACTION
-- +goose Up
CREATE TABLE IF NOT EXISTS scim_walks (
  id      VARCHAR(64) NOT NULL COMMENT 'of a sorted list that is read by cursor: its order may change meanwhile',
  part    INT         NOT NULL,
  reader  VARCHAR(64) NOT NULL COMMENT 'a digest of who reads it',
  places  MEDIUMBLOB  NOT NULL COMMENT 'of scim_users or scim_groups, in the order of the list, 8 bytes each',
  ends_at DATETIME(6) NOT NULL,
  PRIMARY KEY (id, part),
  KEY scim_walks_reader (reader, ends_at),
  KEY scim_walks_end (ends_at)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

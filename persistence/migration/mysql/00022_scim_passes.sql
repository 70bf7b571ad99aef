-- +goose NO TRANSACTION
-- +goose Up
CREATE TABLE IF NOT EXISTS scim_passes (
  name     VARCHAR(64) NOT NULL COMMENT 'of what is indexed: users',
  began_at DATETIME(6) NOT NULL COMMENT 'when the last pass over all of it began that came to its end',
  PRIMARY KEY (name)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
-- Where there are users, an earlier release has compared them all, some time ago.
INSERT IGNORE INTO scim_passes (name, began_at) SELECT 'users', '2000-01-01 00:00:00.000000' FROM scim_users LIMIT 1;

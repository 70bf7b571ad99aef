-- +goose NO TRANSACTION
-- +goose Up
CREATE TABLE IF NOT EXISTS scim_counts (
  bucket INT NOT NULL COMMENT 'the leading bits of place in scim_users',
  users  INT NOT NULL,
  PRIMARY KEY (bucket)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

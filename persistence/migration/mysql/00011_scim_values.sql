-- +goose NO TRANSACTION
-- +goose Up
CREATE TABLE IF NOT EXISTS scim_values (
  path      VARBINARY(255) NOT NULL,
  value_key VARBINARY(160) NOT NULL COMMENT 'personal data',
  place     BIGINT         NOT NULL COMMENT 'of scim_users',
  PRIMARY KEY (path, value_key, place)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

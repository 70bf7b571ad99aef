-- +goose NO TRANSACTION
-- +goose Up
CREATE TABLE IF NOT EXISTS settings (
  name   VARCHAR(128) NOT NULL COMMENT 'as in the configuration',
  value  VARCHAR(255) NOT NULL,
  set_by VARCHAR(255) NOT NULL COMMENT 'the name of a token, or an identity',
  set_at DATETIME(6)  NOT NULL,
  PRIMARY KEY (name)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

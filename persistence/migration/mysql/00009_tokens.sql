-- +goose NO TRANSACTION
-- +goose Up
CREATE TABLE IF NOT EXISTS tokens (
  name         VARCHAR(64)  NOT NULL,
  sha256       CHAR(64)     NOT NULL COMMENT 'of the whole token, in hexadecimal digits; the token is kept nowhere',
  scopes       VARCHAR(255) NOT NULL COMMENT 'separated by blanks',
  privileged   BOOLEAN      NOT NULL,
  created_at   DATETIME(6)  NOT NULL,
  last_used_at DATETIME(6)  NULL COMMENT 'to about a minute',
  revoked_at   DATETIME(6)  NULL,
  PRIMARY KEY (name),
  UNIQUE KEY tokens_sha256 (sha256)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

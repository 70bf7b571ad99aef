-- +goose NO TRANSACTION
-- +goose Up
CREATE TABLE IF NOT EXISTS admin_sessions (
  digest      CHAR(64)    NOT NULL COMMENT 'SHA-256 of the secret, in hexadecimal digits; the secret is kept nowhere',
  token       VARCHAR(64) NOT NULL COMMENT 'sha256 of tokens, or blank for a session of a person',
  identity_id VARCHAR(64) NOT NULL COMMENT 'blank for a session of a token',
  name        VARCHAR(64) NOT NULL,
  created_at  DATETIME(6) NOT NULL,
  seen_at     DATETIME(6) NOT NULL COMMENT 'to about a minute',
  PRIMARY KEY (digest),
  KEY admin_sessions_seen (seen_at)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- +goose NO TRANSACTION
-- +goose Up
CREATE TABLE IF NOT EXISTS identity_leases (
  identity_id VARCHAR(64) NOT NULL,
  owner       VARCHAR(64) NOT NULL,
  claim_id    VARCHAR(64) NOT NULL COMMENT 'the verified claim that it ends with, or blank',
  ends_at     DATETIME(6) NOT NULL,
  PRIMARY KEY (identity_id),
  KEY identity_leases_end (ends_at)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

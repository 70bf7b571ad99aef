-- +goose NO TRANSACTION
-- +goose Up
CREATE TABLE IF NOT EXISTS trials (
  identity_id VARCHAR(64) NOT NULL,
  expires_at  DATETIME(6) NOT NULL,
  staged      INT         NOT NULL,
  activated   INT         NOT NULL,
  held        BOOLEAN     NOT NULL,
  PRIMARY KEY (identity_id)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

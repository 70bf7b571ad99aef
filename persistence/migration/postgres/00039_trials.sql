-- +goose Up
CREATE TABLE trials (
  identity_id VARCHAR(64) COLLATE "C" NOT NULL,
  expires_at TIMESTAMPTZ(6) NOT NULL,
  staged INTEGER NOT NULL,
  activated INTEGER NOT NULL,
  held BOOLEAN NOT NULL,
  PRIMARY KEY (identity_id)
);

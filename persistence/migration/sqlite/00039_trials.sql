-- +goose Up
CREATE TABLE IF NOT EXISTS trials (
  identity_id TEXT    NOT NULL,
  expires_at  TEXT    NOT NULL,
  staged      INTEGER NOT NULL,
  activated   INTEGER NOT NULL,
  held        BOOLEAN NOT NULL,
  PRIMARY KEY (identity_id)
);

-- +goose NO TRANSACTION
-- +goose Up
ALTER TABLE tokens
  ADD COLUMN expires_at DATETIME(6) NULL COMMENT 'from when on it is not in force; NULL for never';

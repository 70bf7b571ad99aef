-- +goose NO TRANSACTION
-- +goose Up
ALTER TABLE claims
  ADD COLUMN direct BOOLEAN NOT NULL DEFAULT FALSE COMMENT 'no code stands behind it: a removal, or a number written directly';

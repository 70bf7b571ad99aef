-- +goose NO TRANSACTION
-- +goose Up
ALTER TABLE tokens
  ADD COLUMN created_by VARCHAR(255) NOT NULL DEFAULT '' COMMENT 'the name of a token, or an identity; blank for a command';

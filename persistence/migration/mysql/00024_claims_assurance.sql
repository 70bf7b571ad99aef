-- +goose NO TRANSACTION
-- +goose Up
ALTER TABLE claims
  ADD COLUMN assurance VARCHAR(16) NOT NULL DEFAULT '' COMMENT 'aal1 or aal2; blank for unknown';

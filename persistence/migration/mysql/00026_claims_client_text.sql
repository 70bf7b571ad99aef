-- +goose NO TRANSACTION
-- +goose Up
ALTER TABLE claims
  ADD COLUMN client_text VARCHAR(16) NOT NULL DEFAULT '' COMMENT 'what a provisioning client has to do with it';

-- +goose Up
-- What a provisioning client has to do with the claim.
ALTER TABLE claims ADD COLUMN client_text TEXT NOT NULL DEFAULT '';

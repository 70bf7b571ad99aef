-- +goose Up
-- aal1 or aal2; blank for unknown.
ALTER TABLE claims ADD COLUMN assurance TEXT NOT NULL DEFAULT '';

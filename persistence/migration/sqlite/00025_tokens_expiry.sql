-- +goose Up
-- From when on it is not in force; NULL for never.
ALTER TABLE tokens ADD COLUMN expires_at TEXT NULL;

-- +goose Up
ALTER TABLE tokens ADD COLUMN created_by TEXT NOT NULL DEFAULT ''; -- the name of a token, or an identity; blank for a command

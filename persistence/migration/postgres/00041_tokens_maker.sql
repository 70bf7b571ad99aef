-- +goose Up
ALTER TABLE tokens ADD COLUMN created_by VARCHAR(255) COLLATE "C" NOT NULL DEFAULT ''; -- the name of a token, or an identity; blank for a command

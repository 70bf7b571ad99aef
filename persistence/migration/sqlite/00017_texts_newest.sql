-- +goose Up
CREATE INDEX texts_newest ON texts (created_at, id);
CREATE INDEX texts_newest_state ON texts (state, created_at, id);
CREATE INDEX texts_newest_gateway ON texts (gateway, created_at, id);

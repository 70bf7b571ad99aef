-- +goose Up
CREATE TABLE receipts (
  id          INTEGER PRIMARY KEY AUTOINCREMENT,
  gateway     TEXT NOT NULL,
  message     TEXT NOT NULL, -- the id of the provider, or of the text
  state       TEXT NOT NULL,
  detail      TEXT NOT NULL,
  received_at TEXT NOT NULL
);
CREATE UNIQUE INDEX receipts_once ON receipts (gateway, message, state, detail);
CREATE INDEX receipts_received ON receipts (received_at);

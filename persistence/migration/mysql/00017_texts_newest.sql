-- +goose NO TRANSACTION
-- +goose Up
ALTER TABLE texts
  ADD KEY texts_newest (created_at, id),
  ADD KEY texts_newest_state (state, created_at, id),
  ADD KEY texts_newest_gateway (gateway, created_at, id);

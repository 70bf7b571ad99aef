-- +goose NO TRANSACTION
-- +goose Up
ALTER TABLE claims
  ADD KEY claims_newest (created_at, id),
  ADD KEY claims_newest_state (state, created_at, id),
  ADD KEY claims_newest_identity (identity_id, created_at, id),
  ADD KEY claims_newest_number (number_key, created_at, id),
  ADD KEY claims_newest_mask (mask, created_at, id),
  ADD KEY claims_newest_mask_state (mask, state, created_at, id);

-- +goose Up
CREATE INDEX claims_newest ON claims (created_at, id);
CREATE INDEX claims_newest_state ON claims (state, created_at, id);
CREATE INDEX claims_newest_identity ON claims (identity_id, created_at, id);
CREATE INDEX claims_newest_number ON claims (number_key, created_at, id);
CREATE INDEX claims_newest_mask ON claims (mask, created_at, id);
CREATE INDEX claims_newest_mask_state ON claims (mask, state, created_at, id);

-- +goose NO TRANSACTION
-- +goose Up
-- People are found in people_terms, and a person's claims by claims_identity.
ALTER TABLE claims
  DROP KEY claims_newest_identity,
  DROP KEY claims_newest_number,
  DROP KEY claims_newest_mask,
  DROP KEY claims_newest_mask_state;

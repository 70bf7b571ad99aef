-- +goose Up
-- People are found in people_terms, and a person's claims by claims_identity.
DROP INDEX IF EXISTS claims_newest_identity;
DROP INDEX IF EXISTS claims_newest_number;
DROP INDEX IF EXISTS claims_newest_mask;
DROP INDEX IF EXISTS claims_newest_mask_state;

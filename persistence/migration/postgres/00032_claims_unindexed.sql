-- +goose Up
-- People are found in people_terms, and a person's claims by claims_identity.
DROP INDEX claims_newest_identity, claims_newest_number, claims_newest_mask, claims_newest_mask_state;

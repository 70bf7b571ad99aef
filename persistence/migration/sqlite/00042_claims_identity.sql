-- +goose Up
-- A person has few claims: to end one need not move it in this index. The name is one that
-- the release before asks for.
DROP INDEX IF EXISTS claims_identity;
CREATE INDEX claims_newest_identity ON claims (identity_id);

-- +goose NO TRANSACTION
-- +goose Up
-- A person has few claims: to end one need not move it in this index. The name is one that
-- the release before asks for.
ALTER TABLE claims
  DROP KEY claims_identity,
  ADD KEY claims_newest_identity (identity_id);

-- +goose NO TRANSACTION
-- +goose Up
-- A person's lines are found by audit_events_newest_identity.
ALTER TABLE audit_events
  DROP KEY audit_events_identity;

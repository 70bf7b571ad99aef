-- +goose NO TRANSACTION
-- +goose Up
-- A person's lines are found by audit_events_newest_identity.
DROP INDEX CONCURRENTLY IF EXISTS audit_events_identity;

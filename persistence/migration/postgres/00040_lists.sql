-- +goose Up
-- A setting may be a list of calling codes, and the audit trail has such a list before and after.
ALTER TABLE settings ALTER COLUMN value TYPE VARCHAR(1000) COLLATE "C";
ALTER TABLE audit_events ALTER COLUMN reason TYPE VARCHAR(2100) COLLATE "C";

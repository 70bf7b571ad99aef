-- +goose NO TRANSACTION
-- +goose Up
-- A setting may be a list of calling codes, and the audit trail has such a list before and after.
ALTER TABLE settings MODIFY COLUMN value VARCHAR(1000) NOT NULL;
ALTER TABLE audit_events MODIFY COLUMN reason VARCHAR(2100) NOT NULL;

-- +goose NO TRANSACTION
-- +goose Up
ALTER TABLE audit_events
  ADD KEY audit_events_newest_identity (identity_id, id),
  ADD KEY audit_events_newest_kind (kind, id);

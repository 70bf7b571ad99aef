-- +goose Up
CREATE INDEX audit_events_newest_identity ON audit_events (identity_id, id);
CREATE INDEX audit_events_newest_kind ON audit_events (kind, id);

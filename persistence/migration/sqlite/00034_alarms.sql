-- +goose Up
CREATE TABLE IF NOT EXISTS alarms (
  id                TEXT    NOT NULL, -- of the claim that was denied: one for each change
  identity_id       TEXT    NOT NULL,
  denied            TEXT    NOT NULL,
  number            TEXT    NOT NULL,
  was               TEXT    NOT NULL,
  was_verified      BOOLEAN NOT NULL,
  cancelled_id      TEXT    NOT NULL,
  address           TEXT    NOT NULL,
  created_at        TEXT    NOT NULL,
  sessions_ended_at TEXT    NULL,
  due_at            TEXT    NULL,
  due_tries         INTEGER NOT NULL,
  blocked_until     TEXT    NULL,
  lifted_at         TEXT    NULL,
  lifted_by         TEXT    NOT NULL,
  closed_at         TEXT    NULL,
  closed_by         TEXT    NOT NULL,
  outcome           TEXT    NOT NULL, -- blank while the case is open
  version           INTEGER NOT NULL,
  PRIMARY KEY (id)
);
CREATE INDEX IF NOT EXISTS alarms_newest ON alarms (created_at, id);
CREATE INDEX IF NOT EXISTS alarms_newest_outcome ON alarms (outcome, created_at, id);
CREATE INDEX IF NOT EXISTS alarms_newest_identity ON alarms (identity_id, created_at, id);
CREATE INDEX IF NOT EXISTS alarms_blocked ON alarms (identity_id, blocked_until);
CREATE INDEX IF NOT EXISTS alarms_due ON alarms (due_at);

-- +goose Up
CREATE TABLE alarms (
  id                VARCHAR(64)  COLLATE "C" NOT NULL, -- of the claim that was denied: one for each change
  identity_id       VARCHAR(64)  COLLATE "C" NOT NULL,
  denied            VARCHAR(16)  COLLATE "C" NOT NULL,
  number            VARCHAR(255) COLLATE "C" NOT NULL,
  was               TEXT         COLLATE "C" NOT NULL,
  was_verified      BOOLEAN      NOT NULL,
  cancelled_id      VARCHAR(64)  COLLATE "C" NOT NULL,
  address           VARCHAR(64)  COLLATE "C" NOT NULL,
  created_at        TIMESTAMPTZ(6) NOT NULL,
  sessions_ended_at TIMESTAMPTZ(6) NULL,
  due_at            TIMESTAMPTZ(6) NULL,
  due_tries         INTEGER      NOT NULL,
  blocked_until     TIMESTAMPTZ(6) NULL,
  lifted_at         TIMESTAMPTZ(6) NULL,
  lifted_by         VARCHAR(255) COLLATE "C" NOT NULL,
  closed_at         TIMESTAMPTZ(6) NULL,
  closed_by         VARCHAR(255) COLLATE "C" NOT NULL,
  outcome           VARCHAR(16)  COLLATE "C" NOT NULL, -- blank while the case is open
  version           INTEGER      NOT NULL,
  PRIMARY KEY (id)
);
CREATE INDEX alarms_newest ON alarms (created_at, id);
CREATE INDEX alarms_newest_outcome ON alarms (outcome, created_at, id);
CREATE INDEX alarms_newest_identity ON alarms (identity_id, created_at, id);
CREATE INDEX alarms_blocked ON alarms (identity_id, blocked_until);
CREATE INDEX alarms_due ON alarms (due_at);

-- +goose NO TRANSACTION
-- +goose Up
CREATE TABLE IF NOT EXISTS alarms (
  id                VARCHAR(64)  NOT NULL COMMENT 'of the claim that was denied: one for each change',
  identity_id       VARCHAR(64)  NOT NULL,
  denied            VARCHAR(16)  NOT NULL,
  number            VARCHAR(255) NOT NULL,
  was               TEXT         NOT NULL,
  was_verified      BOOLEAN      NOT NULL,
  cancelled_id      VARCHAR(64)  NOT NULL,
  address           VARCHAR(64)  NOT NULL,
  created_at        DATETIME(6)  NOT NULL,
  sessions_ended_at DATETIME(6)  NULL,
  due_at            DATETIME(6)  NULL,
  due_tries         INT          NOT NULL,
  blocked_until     DATETIME(6)  NULL,
  lifted_at         DATETIME(6)  NULL,
  lifted_by         VARCHAR(255) NOT NULL,
  closed_at         DATETIME(6)  NULL,
  closed_by         VARCHAR(255) NOT NULL,
  outcome           VARCHAR(16)  NOT NULL COMMENT 'blank while the case is open',
  version           INT          NOT NULL,
  PRIMARY KEY (id),
  KEY alarms_newest (created_at, id),
  KEY alarms_newest_outcome (outcome, created_at, id),
  KEY alarms_newest_identity (identity_id, created_at, id),
  KEY alarms_blocked (identity_id, blocked_until),
  KEY alarms_due (due_at)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

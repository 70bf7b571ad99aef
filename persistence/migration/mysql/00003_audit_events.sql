-- +goose NO TRANSACTION
-- +goose Up
CREATE TABLE IF NOT EXISTS audit_events (
  id            BIGINT       NOT NULL AUTO_INCREMENT,
  claim_id      VARCHAR(64)  NOT NULL,
  identity_id   VARCHAR(64)  NOT NULL,
  kind          VARCHAR(32)  NOT NULL,
  actor_kind    VARCHAR(16)  NOT NULL,
  actor_id      VARCHAR(255) NOT NULL,
  actor_address VARCHAR(64)  NOT NULL,
  number        VARCHAR(255) NOT NULL COMMENT 'masked',
  reason        VARCHAR(255) NOT NULL,
  happened_at   DATETIME(6)  NOT NULL,
  PRIMARY KEY (id),
  KEY audit_events_claim (claim_id),
  KEY audit_events_identity (identity_id, happened_at)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- +goose NO TRANSACTION
-- +goose Up
CREATE TABLE IF NOT EXISTS texts (
  id           VARCHAR(64)  NOT NULL,
  claim_id     VARCHAR(64)  NOT NULL,
  identity_id  VARCHAR(64)  NOT NULL,
  number       VARCHAR(255) NOT NULL,
  number_key   VARCHAR(255) NOT NULL COMMENT 'the dialling characters alone',
  code_key     VARCHAR(64)  NOT NULL,
  code_number  INT          NOT NULL,
  code_expires DATETIME(6)  NULL,
  validity_us  BIGINT       NOT NULL,
  language     VARCHAR(64)  NOT NULL,
  address      VARCHAR(64)  NOT NULL,
  state        VARCHAR(16)  NOT NULL,
  due_at       DATETIME(6)  NOT NULL COMMENT 'the end of a lease or of a put-off',
  tries        INT          NOT NULL,
  gateway      VARCHAR(64)  NOT NULL,
  provider_id  VARCHAR(255) NOT NULL,
  reason       VARCHAR(255) NOT NULL,
  created_at   DATETIME(6)  NOT NULL,
  done_at      DATETIME(6)  NULL,
  PRIMARY KEY (id),
  KEY texts_claim (claim_id, created_at),
  KEY texts_identity (identity_id, created_at),
  KEY texts_number (number_key, created_at),
  KEY texts_address (address, created_at),
  KEY texts_due (state, due_at)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- +goose NO TRANSACTION
-- +goose Up
CREATE TABLE IF NOT EXISTS receipts (
  id          BIGINT       NOT NULL AUTO_INCREMENT,
  gateway     VARCHAR(64)  NOT NULL,
  message     VARCHAR(255) NOT NULL COMMENT 'the id of the provider, or of the text',
  state       VARCHAR(16)  NOT NULL,
  detail      VARCHAR(64)  NOT NULL,
  received_at DATETIME(6)  NOT NULL,
  PRIMARY KEY (id),
  UNIQUE KEY receipts_once (gateway, message, state, detail),
  KEY receipts_received (received_at)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- +goose NO TRANSACTION
-- +goose Up
CREATE TABLE IF NOT EXISTS limits (
  name VARCHAR(128) NOT NULL COMMENT 'what is limited; of a person only a keyed hash',
  tat  BIGINT       NOT NULL COMMENT 'theoretical arrival time (ITU-T I.371), microseconds since 1970',
  PRIMARY KEY (name)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
ALTER TABLE texts ADD KEY texts_traffic (kind, created_at);

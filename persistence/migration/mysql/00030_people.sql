-- +goose NO TRANSACTION
-- +goose Up
CREATE TABLE IF NOT EXISTS people (
  place       BIGINT      NOT NULL COMMENT 'a hash of identity_id',
  identity_id VARCHAR(64) NOT NULL,
  terms       MEDIUMTEXT  NOT NULL COMMENT 'personal data: the lines of people_terms',
  number_key  VARCHAR(64) NOT NULL COMMENT 'which key hashes the numbers',
  seen_at     DATETIME(6) NOT NULL COMMENT 'when Kratos was asked',
  PRIMARY KEY (place),
  UNIQUE KEY people_identity (identity_id),
  KEY people_seen (seen_at),
  KEY people_key (number_key)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
CREATE TABLE IF NOT EXISTS people_terms (
  term  VARBINARY(64) NOT NULL COMMENT 'personal data: words, and keyed hashes of numbers and their pieces',
  place BIGINT        NOT NULL COMMENT 'of people',
  PRIMARY KEY (term, place)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
CREATE TABLE IF NOT EXISTS progress (
  name     VARCHAR(64) NOT NULL COMMENT 'of work that goes through rows once',
  moment   DATETIME(6) NOT NULL COMMENT 'created_at of the last row',
  row_id   VARCHAR(64) NOT NULL COMMENT 'id of the last row',
  PRIMARY KEY (name)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- +goose NO TRANSACTION
-- +goose Up
CREATE TABLE IF NOT EXISTS statistics (
  hour      BIGINT      NOT NULL COMMENT 'since 1970, in UTC',
  subject   VARCHAR(80) NOT NULL COMMENT 'code:49 or gateway:main',
  requested INT         NOT NULL,
  confirmed INT         NOT NULL,
  failed    INT         NOT NULL,
  withdrawn INT         NOT NULL,
  wrong     INT         NOT NULL,
  sent      INT         NOT NULL,
  unsent    INT         NOT NULL,
  delay_us  BIGINT      NOT NULL COMMENT 'of the sent ones, all together',
  PRIMARY KEY (hour, subject)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

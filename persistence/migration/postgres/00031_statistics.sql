-- +goose Up
CREATE TABLE statistics (
  hour BIGINT NOT NULL, -- since 1970, in UTC
  subject VARCHAR(80) COLLATE "C" NOT NULL, -- code:49 or gateway:main
  requested INTEGER NOT NULL,
  confirmed INTEGER NOT NULL,
  failed INTEGER NOT NULL,
  withdrawn INTEGER NOT NULL,
  wrong INTEGER NOT NULL,
  sent INTEGER NOT NULL,
  unsent INTEGER NOT NULL,
  delay_us BIGINT NOT NULL, -- of the sent ones, all together
  PRIMARY KEY (hour, subject)
);

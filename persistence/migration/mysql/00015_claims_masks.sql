-- +goose NO TRANSACTION
-- +goose Up
ALTER TABLE claims
  ADD COLUMN number_key VARCHAR(255) GENERATED ALWAYS AS (
    REPLACE(REPLACE(REPLACE(REPLACE(REPLACE(REPLACE(number, ' ', ''), '-', ''), '.', ''), '/', ''), '(', ''), ')', '')
  ) VIRTUAL COMMENT 'the dialling characters alone',
  ADD COLUMN mask VARCHAR(255) GENERATED ALWAYS AS (
    CASE
      WHEN CHAR_LENGTH(number_key) >= 9 THEN
        CONCAT(LEFT(number_key, 3), REPEAT('*', CHAR_LENGTH(number_key) - 5), RIGHT(number_key, 2))
      WHEN CHAR_LENGTH(number_key) > 4 THEN
        CONCAT(REPEAT('*', CHAR_LENGTH(number_key) - 2), RIGHT(number_key, 2))
      ELSE REPEAT('*', CHAR_LENGTH(number_key))
    END
  ) VIRTUAL COMMENT 'the number as it is shown';

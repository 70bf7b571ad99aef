-- +goose Up
-- The dialling characters alone.
ALTER TABLE claims ADD COLUMN number_key TEXT GENERATED ALWAYS AS (
  REPLACE(REPLACE(REPLACE(REPLACE(REPLACE(REPLACE(number, ' ', ''), '-', ''), '.', ''), '/', ''), '(', ''), ')', '')
) VIRTUAL;
-- The number as it is shown.
ALTER TABLE claims ADD COLUMN mask TEXT GENERATED ALWAYS AS (
  CASE
    WHEN LENGTH(number_key) >= 9 THEN
      SUBSTR(number_key, 1, 3)
      || SUBSTR('****************************************************************', 1, LENGTH(number_key) - 5)
      || SUBSTR(number_key, -2)
    WHEN LENGTH(number_key) > 4 THEN SUBSTR('********', 1, LENGTH(number_key) - 2) || SUBSTR(number_key, -2)
    ELSE SUBSTR('****', 1, LENGTH(number_key))
  END
) VIRTUAL;

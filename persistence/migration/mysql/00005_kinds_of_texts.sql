-- +goose NO TRANSACTION
-- +goose Up
ALTER TABLE texts
  ADD COLUMN kind         VARCHAR(16) NOT NULL DEFAULT 'code',
  ADD COLUMN channel      VARCHAR(16) NOT NULL DEFAULT 'sms',
  ADD COLUMN calling_code VARCHAR(8)  NOT NULL DEFAULT '',
  ADD COLUMN number_seq   INT         NULL COMMENT 'counts the texts to a number: two that are queued in one instant cannot both be the next',
  ADD COLUMN address_seq  INT         NULL COMMENT 'counts the texts that an address asked for',
  ADD UNIQUE KEY texts_number_seq (number_key, number_seq),
  ADD UNIQUE KEY texts_address_seq (address, address_seq);

-- +goose Up
ALTER TABLE texts ADD COLUMN kind TEXT NOT NULL DEFAULT 'code';
ALTER TABLE texts ADD COLUMN channel TEXT NOT NULL DEFAULT 'sms';
ALTER TABLE texts ADD COLUMN calling_code TEXT NOT NULL DEFAULT '';
-- Two texts that are queued in one instant cannot both be the next.
ALTER TABLE texts ADD COLUMN number_seq INTEGER NULL;
ALTER TABLE texts ADD COLUMN address_seq INTEGER NULL;
CREATE UNIQUE INDEX texts_number_seq ON texts (number_key, number_seq);
CREATE UNIQUE INDEX texts_address_seq ON texts (address, address_seq);

-- +goose NO TRANSACTION
-- +goose Up
-- What is queued is found by texts_newest_state, traffic by texts_newest, the texts of a number by texts_number_seq.
ALTER TABLE texts
  DROP KEY texts_due,
  DROP KEY texts_traffic,
  DROP KEY texts_number;

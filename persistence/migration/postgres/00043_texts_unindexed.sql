-- +goose Up
-- What is queued is found by texts_newest_state, traffic by texts_newest, the texts of a number by texts_number_seq.
DROP INDEX texts_due, texts_traffic, texts_number;

-- +goose NO TRANSACTION
-- +goose Up
-- What is queued is found by texts_newest_state, traffic by texts_newest, the texts of a number by texts_number_seq.
DROP INDEX CONCURRENTLY IF EXISTS texts_due;
DROP INDEX CONCURRENTLY IF EXISTS texts_traffic;
DROP INDEX CONCURRENTLY IF EXISTS texts_number;

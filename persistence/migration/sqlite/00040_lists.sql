-- +goose Up
-- TEXT has no width: this keeps the numbers of the dialects in step.
SELECT 1;

-- +goose Up
CREATE TABLE limits (
  name TEXT    NOT NULL, -- what is limited; of a person only a keyed hash
  tat  INTEGER NOT NULL, -- theoretical arrival time (ITU-T I.371), microseconds since 1970
  PRIMARY KEY (name)
);
CREATE INDEX texts_traffic ON texts (kind, created_at);

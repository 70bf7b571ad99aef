-- +goose Up
CREATE TABLE IF NOT EXISTS scim_passes (
  name     TEXT NOT NULL, -- of what is indexed: users
  began_at TEXT NOT NULL, -- when the last pass over all of it began that came to its end
  PRIMARY KEY (name)
);
-- Where there are users, an earlier release has compared them all, some time ago.
INSERT OR IGNORE INTO scim_passes (name, began_at) SELECT 'users', '2000-01-01 00:00:00.000000' FROM scim_users LIMIT 1;

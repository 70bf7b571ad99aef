-- +goose Up
CREATE TABLE scim_groups (
  place      BIGINT       NOT NULL, -- the order of lists: the first 64 bits of id, which begin with the time
  id         VARCHAR(64)  COLLATE "C" NOT NULL,
  name       VARCHAR(256) COLLATE "C" NOT NULL, -- displayName
  name_key   BYTEA        NOT NULL, -- name in one case: what it is found by
  version    BIGINT       NOT NULL,
  writes     BIGINT       NOT NULL,
  created_at TIMESTAMPTZ(6) NOT NULL,
  updated_at TIMESTAMPTZ(6) NOT NULL,
  PRIMARY KEY (place)
);
CREATE UNIQUE INDEX scim_groups_id ON scim_groups (id);
CREATE UNIQUE INDEX scim_groups_name ON scim_groups (name_key);
CREATE TABLE scim_members (
  group_place BIGINT      NOT NULL, -- of scim_groups, or of one that was deleted a moment ago
  user_id     VARCHAR(64) COLLATE "C" NOT NULL, -- the identity
  PRIMARY KEY (group_place, user_id)
);
CREATE INDEX scim_members_user ON scim_members (user_id, group_place);
CREATE TABLE scim_group_external_ids (
  client       VARCHAR(128) COLLATE "C" NOT NULL, -- the name of the token
  group_place  BIGINT       NOT NULL,
  external_id  VARCHAR(512) COLLATE "C" NOT NULL,
  external_key BYTEA        NOT NULL,
  PRIMARY KEY (client, group_place)
);
CREATE INDEX scim_group_external_ids_key ON scim_group_external_ids (client, external_key);
CREATE INDEX scim_group_external_ids_group ON scim_group_external_ids (group_place);

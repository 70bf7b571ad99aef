-- The whole schema as migration 26 left it elsewhere: before, nothing ran on PostgreSQL.
-- Texts are compared byte by byte, whatever the database's locale.
-- +goose Up
CREATE TABLE claims (
  id            VARCHAR(64)  COLLATE "C" NOT NULL,
  identity_id   VARCHAR(64)  COLLATE "C" NOT NULL,
  held_identity VARCHAR(64)  COLLATE "C" NULL, -- identity_id while open or verified: one for each identity
  flow_id       VARCHAR(64)  COLLATE "C" NOT NULL,
  origin        VARCHAR(16)  COLLATE "C" NOT NULL,
  number        VARCHAR(255) COLLATE "C" NOT NULL,
  was           TEXT         COLLATE "C" NOT NULL,
  state         VARCHAR(16)  COLLATE "C" NOT NULL,
  version       INTEGER      NOT NULL,
  reason        VARCHAR(255) COLLATE "C" NOT NULL,
  code_key      VARCHAR(64)  COLLATE "C" NOT NULL,
  code_number   INTEGER      NOT NULL,
  code_expires  TIMESTAMPTZ(6) NULL,
  attempts      INTEGER      NOT NULL,
  texts         INTEGER      NOT NULL,
  next_text     TIMESTAMPTZ(6) NULL,
  last_address  VARCHAR(64)  COLLATE "C" NOT NULL,
  marker        VARCHAR(16)  COLLATE "C" NOT NULL,
  due_at        TIMESTAMPTZ(6) NULL,
  due_tries     INTEGER      NOT NULL,
  created_at    TIMESTAMPTZ(6) NOT NULL,
  lapses_at     TIMESTAMPTZ(6) NULL,
  ended_at      TIMESTAMPTZ(6) NULL,
  was_verified  BOOLEAN      NOT NULL DEFAULT FALSE,
  language      VARCHAR(64)  COLLATE "C" NOT NULL DEFAULT '',
  number_key    VARCHAR(255) COLLATE "C" GENERATED ALWAYS AS (TRANSLATE(number, ' -./()', '')) STORED, -- the dialling characters alone
  mask          VARCHAR(255) COLLATE "C" GENERATED ALWAYS AS ( -- the number as it is shown; of number_key it could not be made
    CASE
      WHEN CHAR_LENGTH(TRANSLATE(number, ' -./()', '')) >= 9 THEN
        LEFT(TRANSLATE(number, ' -./()', ''), 3) || REPEAT('*', CHAR_LENGTH(TRANSLATE(number, ' -./()', '')) - 5)
          || RIGHT(TRANSLATE(number, ' -./()', ''), 2)
      WHEN CHAR_LENGTH(TRANSLATE(number, ' -./()', '')) > 4 THEN
        REPEAT('*', CHAR_LENGTH(TRANSLATE(number, ' -./()', '')) - 2) || RIGHT(TRANSLATE(number, ' -./()', ''), 2)
      ELSE REPEAT('*', CHAR_LENGTH(TRANSLATE(number, ' -./()', '')))
    END
  ) STORED,
  direct        BOOLEAN      NOT NULL DEFAULT FALSE, -- no code stands behind it: a removal, or a number written directly
  assurance     VARCHAR(16)  COLLATE "C" NOT NULL DEFAULT '', -- aal1 or aal2; blank for unknown
  client_text   VARCHAR(16)  COLLATE "C" NOT NULL DEFAULT '', -- what a provisioning client has to do with it
  PRIMARY KEY (id)
);
CREATE UNIQUE INDEX claims_held ON claims (held_identity);
CREATE INDEX claims_identity ON claims (identity_id, ended_at);
CREATE INDEX claims_due ON claims (due_at);
CREATE INDEX claims_ended ON claims (ended_at);
CREATE INDEX claims_newest ON claims (created_at, id);
CREATE INDEX claims_newest_state ON claims (state, created_at, id);
CREATE INDEX claims_newest_identity ON claims (identity_id, created_at, id);
CREATE INDEX claims_newest_number ON claims (number_key, created_at, id);
CREATE INDEX claims_newest_mask ON claims (mask, created_at, id);
CREATE INDEX claims_newest_mask_state ON claims (mask, state, created_at, id);

CREATE TABLE texts (
  id           VARCHAR(64)  COLLATE "C" NOT NULL,
  claim_id     VARCHAR(64)  COLLATE "C" NOT NULL,
  identity_id  VARCHAR(64)  COLLATE "C" NOT NULL,
  number       VARCHAR(255) COLLATE "C" NOT NULL,
  number_key   VARCHAR(255) COLLATE "C" NOT NULL, -- the dialling characters alone
  code_key     VARCHAR(64)  COLLATE "C" NOT NULL,
  code_number  INTEGER      NOT NULL,
  code_expires TIMESTAMPTZ(6) NULL,
  validity_us  BIGINT       NOT NULL,
  language     VARCHAR(64)  COLLATE "C" NOT NULL,
  address      VARCHAR(64)  COLLATE "C" NOT NULL,
  state        VARCHAR(16)  COLLATE "C" NOT NULL,
  due_at       TIMESTAMPTZ(6) NOT NULL, -- the end of a lease or of a put-off
  tries        INTEGER      NOT NULL,
  gateway      VARCHAR(64)  COLLATE "C" NOT NULL,
  provider_id  VARCHAR(255) COLLATE "C" NOT NULL,
  reason       VARCHAR(255) COLLATE "C" NOT NULL,
  created_at   TIMESTAMPTZ(6) NOT NULL,
  done_at      TIMESTAMPTZ(6) NULL,
  kind         VARCHAR(16)  COLLATE "C" NOT NULL DEFAULT 'code',
  channel      VARCHAR(16)  COLLATE "C" NOT NULL DEFAULT 'sms',
  calling_code VARCHAR(8)   COLLATE "C" NOT NULL DEFAULT '',
  number_seq   INTEGER      NULL, -- counts the texts to a number: two that are queued in one instant cannot both be the next
  address_seq  INTEGER      NULL, -- counts the texts that an address asked for
  PRIMARY KEY (id)
);
CREATE INDEX texts_claim ON texts (claim_id, created_at);
CREATE INDEX texts_identity ON texts (identity_id, created_at);
CREATE INDEX texts_number ON texts (number_key, created_at);
CREATE INDEX texts_address ON texts (address, created_at);
CREATE INDEX texts_due ON texts (state, due_at);
CREATE UNIQUE INDEX texts_number_seq ON texts (number_key, number_seq);
CREATE UNIQUE INDEX texts_address_seq ON texts (address, address_seq);
CREATE INDEX texts_traffic ON texts (kind, created_at);
CREATE INDEX texts_newest ON texts (created_at, id);
CREATE INDEX texts_newest_state ON texts (state, created_at, id);
CREATE INDEX texts_newest_gateway ON texts (gateway, created_at, id);

CREATE TABLE audit_events (
  id            BIGINT       NOT NULL GENERATED BY DEFAULT AS IDENTITY,
  claim_id      VARCHAR(64)  COLLATE "C" NOT NULL,
  identity_id   VARCHAR(64)  COLLATE "C" NOT NULL,
  kind          VARCHAR(32)  COLLATE "C" NOT NULL,
  actor_kind    VARCHAR(16)  COLLATE "C" NOT NULL,
  actor_id      VARCHAR(255) COLLATE "C" NOT NULL,
  actor_address VARCHAR(64)  COLLATE "C" NOT NULL,
  number        VARCHAR(255) COLLATE "C" NOT NULL, -- masked
  reason        VARCHAR(255) COLLATE "C" NOT NULL,
  happened_at   TIMESTAMPTZ(6) NOT NULL,
  PRIMARY KEY (id)
);
CREATE INDEX audit_events_claim ON audit_events (claim_id);
CREATE INDEX audit_events_identity ON audit_events (identity_id, happened_at);
CREATE INDEX audit_events_newest_identity ON audit_events (identity_id, id);
CREATE INDEX audit_events_newest_kind ON audit_events (kind, id);

CREATE TABLE identity_leases (
  identity_id VARCHAR(64) COLLATE "C" NOT NULL,
  owner       VARCHAR(64) COLLATE "C" NOT NULL,
  claim_id    VARCHAR(64) COLLATE "C" NOT NULL, -- the verified claim that it ends with, or blank
  ends_at     TIMESTAMPTZ(6) NOT NULL,
  PRIMARY KEY (identity_id)
);
CREATE INDEX identity_leases_end ON identity_leases (ends_at);

CREATE TABLE limits (
  name VARCHAR(128) COLLATE "C" NOT NULL, -- what is limited; of a person only a keyed hash
  tat  BIGINT       NOT NULL, -- theoretical arrival time (ITU-T I.371), microseconds since 1970
  PRIMARY KEY (name)
);

CREATE TABLE receipts (
  id          BIGINT       NOT NULL GENERATED BY DEFAULT AS IDENTITY,
  gateway     VARCHAR(64)  COLLATE "C" NOT NULL,
  message     VARCHAR(255) COLLATE "C" NOT NULL, -- the id of the provider, or of the text
  state       VARCHAR(16)  COLLATE "C" NOT NULL,
  detail      VARCHAR(64)  COLLATE "C" NOT NULL,
  received_at TIMESTAMPTZ(6) NOT NULL,
  PRIMARY KEY (id)
);
CREATE UNIQUE INDEX receipts_once ON receipts (gateway, message, state, detail);
CREATE INDEX receipts_received ON receipts (received_at);

CREATE TABLE tokens (
  name         VARCHAR(64)  COLLATE "C" NOT NULL,
  sha256       CHAR(64)     COLLATE "C" NOT NULL, -- of the whole token, in hexadecimal digits; the token is kept nowhere
  scopes       VARCHAR(255) COLLATE "C" NOT NULL, -- separated by blanks
  privileged   BOOLEAN      NOT NULL,
  created_at   TIMESTAMPTZ(6) NOT NULL,
  last_used_at TIMESTAMPTZ(6) NULL, -- to about a minute
  revoked_at   TIMESTAMPTZ(6) NULL,
  expires_at   TIMESTAMPTZ(6) NULL, -- from when on it is not in force; NULL for never
  PRIMARY KEY (name)
);
CREATE UNIQUE INDEX tokens_sha256 ON tokens (sha256);

CREATE TABLE scim_users (
  place        BIGINT      NOT NULL, -- the order of lists: a hash of id
  id           VARCHAR(64) COLLATE "C" NOT NULL, -- the identity
  version      VARCHAR(64) COLLATE "C" NOT NULL,
  document     TEXT        COLLATE "C" NOT NULL, -- personal data: the resource as JSON
  external_ids TEXT        COLLATE "C" NOT NULL, -- personal data: JSON, by the name of the client
  found_by     TEXT        COLLATE "C" NOT NULL, -- the lines of scim_values, as JSON
  updated_at   TIMESTAMPTZ(6) NULL,
  seen_at      TIMESTAMPTZ(6) NOT NULL,
  writes       BIGINT      NOT NULL,
  PRIMARY KEY (place)
);
CREATE UNIQUE INDEX scim_users_id ON scim_users (id);
CREATE INDEX scim_users_seen ON scim_users (seen_at);

CREATE TABLE scim_values (
  path      BYTEA  NOT NULL,
  value_key BYTEA  NOT NULL, -- personal data
  place     BIGINT NOT NULL, -- of scim_users
  PRIMARY KEY (path, value_key, place)
);

CREATE TABLE scim_counts (
  bucket INTEGER NOT NULL, -- the leading bits of place in scim_users
  users  INTEGER NOT NULL,
  PRIMARY KEY (bucket)
);

CREATE TABLE scim_passes (
  name     VARCHAR(64) COLLATE "C" NOT NULL, -- of what is indexed: users
  began_at TIMESTAMPTZ(6) NOT NULL, -- when the last pass over all of it began that came to its end
  PRIMARY KEY (name)
);

CREATE TABLE settings (
  name   VARCHAR(128) COLLATE "C" NOT NULL, -- as in the configuration
  value  VARCHAR(255) COLLATE "C" NOT NULL,
  set_by VARCHAR(255) COLLATE "C" NOT NULL, -- the name of a token, or an identity
  set_at TIMESTAMPTZ(6) NOT NULL,
  PRIMARY KEY (name)
);

CREATE TABLE admin_sessions (
  digest      CHAR(64)    COLLATE "C" NOT NULL, -- SHA-256 of the secret, in hexadecimal digits; the secret is kept nowhere
  token       VARCHAR(64) COLLATE "C" NOT NULL, -- sha256 of tokens, or blank for a session of a person
  identity_id VARCHAR(64) COLLATE "C" NOT NULL, -- blank for a session of a token
  name        VARCHAR(64) COLLATE "C" NOT NULL,
  created_at  TIMESTAMPTZ(6) NOT NULL,
  seen_at     TIMESTAMPTZ(6) NOT NULL, -- to about a minute
  PRIMARY KEY (digest)
);
CREATE INDEX admin_sessions_seen ON admin_sessions (seen_at);

INSERT INTO scim_users (place, id, version, document, external_ids, found_by, updated_at, seen_at, writes) VALUES
(-42, 'a1', 'W/"1"', '{"userName":"größe@example.com"}', '{"okta":"00u1"}', '[]', '2026-03-01 10:00:00.000000', '2026-03-01 10:00:00.000000', 7),
(42, 'a3', 'W/"2"', '{"userName":"bob@example.com"}', '{}', '[]', NULL, '2026-03-01 10:00:00.000000', 1);

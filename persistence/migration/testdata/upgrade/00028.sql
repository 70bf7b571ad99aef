INSERT INTO scim_groups (place, id, name, name_key, version, writes, created_at, updated_at) VALUES
(7, '01890000-0000-7000-8000-000000000001', 'Größe', 'größe', 3, 4, '2026-03-01 10:00:00.000000', '2026-03-01 10:01:00.000000');
INSERT INTO scim_members (group_place, user_id) VALUES (7, 'a1'), (7, 'a3');
INSERT INTO scim_group_external_ids (client, group_place, external_id, external_key) VALUES ('okta', 7, '00g1', '00g1');

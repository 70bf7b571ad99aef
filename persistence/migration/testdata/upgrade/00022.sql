INSERT INTO scim_passes (name, began_at) VALUES ('something else', '2026-02-01 10:00:00.000000');

INSERT INTO scim_walks (id, part, reader, places, ends_at) VALUES ('w1', 0, 'r', '12345678', '2026-03-01 10:00:00.000000');

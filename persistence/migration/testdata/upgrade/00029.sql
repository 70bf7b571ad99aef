INSERT INTO scim_group_tasks (group_place, deleted, name, after_user, changes) VALUES (7, 0, 'Größe', 'a1', 2);
INSERT INTO scim_identity_tasks (user_id, due_at, tries, changes) VALUES ('a3', '2026-03-01 10:00:00.000000', 1, 2);

INSERT INTO scim_counts (bucket, users) VALUES (0, 1), (3, 1);

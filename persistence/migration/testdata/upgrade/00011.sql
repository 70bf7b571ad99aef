INSERT INTO scim_values (path, value_key, place) VALUES ('username', 'bob@example.com', 42), ('username', 'größe@example.com', -42);

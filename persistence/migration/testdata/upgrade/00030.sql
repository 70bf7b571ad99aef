INSERT INTO people (place, identity_id, terms, number_key, seen_at) VALUES (7, 'a3', 'dAAAAAAAA', 'key', '2026-02-01 10:00:00.000000');
INSERT INTO people_terms (term, place) VALUES ('dAAAAAAAA', 7);
INSERT INTO progress (name, moment, row_id) VALUES ('something else', '2026-02-01 10:00:00.000000', '');

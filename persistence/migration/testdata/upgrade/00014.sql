INSERT INTO admin_sessions (digest, token, identity_id, name, created_at, seen_at) VALUES
('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad', 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad', '', 'okta', '2026-03-01 10:00:00.000000', '2026-03-01 10:00:00.000000');

INSERT INTO tokens (name, sha256, scopes, privileged, created_at, last_used_at, revoked_at) VALUES
('okta', 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad', 'scim:read scim:write', TRUE, '2026-01-01 10:00:00.000000', '2026-03-01 10:00:00.000000', NULL),
('entra', 'cb8379ac2098aa165029e3938a51da0bcecfc008fd6795f401178647f96c5b34', 'scim:read', FALSE, '2026-01-01 10:00:00.000000', NULL, '2026-02-01 10:00:00.000000');

INSERT INTO audit_events (claim_id, identity_id, kind, actor_kind, actor_id, actor_address, number, reason, happened_at) VALUES
('0b6f3a52-7d0c-4a3e-9d1a-5f1c0e5a9c03', 'a3', 'open', 'owner', 'a3', '192.0.2.9', '+49*********73', '', '2026-02-01 10:00:00.000000'),
('0b6f3a52-7d0c-4a3e-9d1a-5f1c0e5a9c03', 'a3', 'applied', 'owner', 'a3', '192.0.2.9', '+49*********73', '', '2026-02-01 10:01:00.000000'),
('0b6f3a52-7d0c-4a3e-9d1a-5f1c0e5a9c06', 'a6', 'conflict', 'system', '', '', '********56', 'somebody else''s: "größer"', '2026-01-01 10:01:00.000000');

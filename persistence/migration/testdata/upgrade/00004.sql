INSERT INTO identity_leases (identity_id, owner, claim_id, ends_at) VALUES
('a2', 'replica-1', '0b6f3a52-7d0c-4a3e-9d1a-5f1c0e5a9c02', '2026-03-01 10:02:30.000000'),
('a3', 'replica-2', '', '2026-02-01 10:02:30.000000');

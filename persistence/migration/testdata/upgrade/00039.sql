INSERT INTO trials (identity_id, expires_at, staged, activated, held) VALUES
('9f425a8d-7efc-4768-8f23-7647a74fdf13', '2026-02-01 11:03:00.000000', 1, 0, TRUE);

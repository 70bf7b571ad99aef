INSERT INTO settings (name, value, set_by, set_at) VALUES ('identity_mgt.user_claim_update.mobile.enable_verification', 'false', 'ops', '2026-02-01 10:00:00.000000');

INSERT INTO receipts (gateway, message, state, detail, received_at) VALUES
('main', 'SM123', 'delivered', '', '2026-02-01 10:00:05.000000'),
('main', 'SM124', 'failed', '30003', '2026-02-01 10:01:05.000000');

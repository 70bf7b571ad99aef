INSERT INTO statistics (hour, subject, requested, confirmed, failed, withdrawn, wrong, sent, unsent, delay_us) VALUES (491770, 'code:49', 3, 1, 1, 1, 5, 0, 0, 0);

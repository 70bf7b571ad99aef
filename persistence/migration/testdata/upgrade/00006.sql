INSERT INTO limits (name, tat) VALUES ('login 4f1c', 1772359200000000), ('token 9ab0', 1772359260000000);

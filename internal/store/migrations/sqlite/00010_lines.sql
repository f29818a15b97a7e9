-- +goose Up
-- Merchants are asked one by one for lines that are due (settlement_line_open); nothing asks by the
-- day over all of them, and every line that is earned or paid out had to change this index too.
DROP INDEX settlement_line_due;

-- +goose Down
CREATE INDEX settlement_line_due ON settlement_line (due_date, merchant) WHERE payout IS NULL AND held = 0;
INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES ('settlement_line', 'settlement_line_due', '20000 2000 200');
ANALYZE sqlite_schema; -- reads what was written

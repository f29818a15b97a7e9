-- +goose Up
-- Merchants are asked one by one for lines that are due (settlement_line_open); nothing asks by the
-- day over all of them, and every line that is earned or paid out had to change this index too.
DROP INDEX settlement_line_due;

-- +goose Down
CREATE INDEX settlement_line_due ON settlement_line (due_date, merchant) WHERE payout IS NULL AND held = 0;

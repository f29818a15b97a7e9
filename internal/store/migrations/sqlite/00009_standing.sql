-- +goose Up
-- When a payment's standing became what it is: lists of what changed go by it. Of a payment of
-- which a part was given back before this column was there, its last change counts.
ALTER TABLE payment ADD COLUMN standing_at INTEGER NOT NULL DEFAULT 0;
UPDATE payment SET standing_at = max(opened_at, coalesce(paid_at, 0), coalesce(failed_at, 0), coalesce(cancelled_at, 0),
    CASE WHEN refunded > 0 AND cancelled_at IS NULL THEN updated_at ELSE 0 END);
CREATE INDEX payment_standing ON payment (merchant, standing_at);
INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES ('payment', 'payment_standing', '1000000 100000 2');
ANALYZE sqlite_schema; -- reads what was written

-- +goose Down
DROP INDEX payment_standing;
ALTER TABLE payment DROP COLUMN standing_at;

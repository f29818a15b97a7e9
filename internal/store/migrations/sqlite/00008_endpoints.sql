-- +goose Up
-- Calls queue in lanes: one for each endpoint of a merchant. Calls that are older are the setting's.
ALTER TABLE webhook ADD COLUMN endpoint TEXT NOT NULL DEFAULT 'v1';
DROP INDEX webhook_due;
CREATE INDEX webhook_lane ON webhook (merchant, endpoint, due_at) WHERE state = 'pending';
CREATE INDEX webhook_failed ON webhook (merchant, created_at) WHERE state = 'failed';

-- Endpoints that fail, and until when they are left alone. One that takes what it is told has no row.
CREATE TABLE endpoint_health (
    merchant   TEXT    NOT NULL,
    endpoint   TEXT    NOT NULL,
    failures   INTEGER NOT NULL, -- in a row
    since      INTEGER NOT NULL, -- the first of them, by the merchant's clock
    rest_until INTEGER NOT NULL, -- the machine's clock
    PRIMARY KEY (merchant, endpoint)
) STRICT, WITHOUT ROWID;

DELETE FROM sqlite_stat1 WHERE idx = 'webhook_due';
INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
    ('webhook', 'webhook_lane', '1000 100 20 2'),
    ('webhook', 'webhook_failed', '100000 10000 2');
ANALYZE sqlite_schema; -- reads what was written

-- +goose Down
SELECT 'the ground is not taken away';

-- +goose Up
CREATE INDEX mail_created ON mail (merchant, created_at);
CREATE INDEX webhook_created ON webhook (merchant, created_at);
CREATE INDEX bank_order_ref ON bank_order (merchant, ref);

-- What the planner believes about the tables: those of a busy server with ten merchants. They
-- are written here and never measured, so that every database, young or old, runs the same plans.
-- Without them the planner takes the rows of one merchant for ten and reads all of them where it
-- should look for one payment's; measured on a young database they would say the same.
-- A row is "rows in the index, rows per value of its first column, of its first two, ...".
ANALYZE merchant;
DELETE FROM sqlite_stat1;
INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
    ('payment', 'sqlite_autoindex_payment_1', '1000000 100000 1'),
    ('payment', 'payment_order', '1000000 100000 2'),
    ('payment', 'payment_opened', '1000000 100000 2'),
    ('payment', 'payment_paid', '900000 90000 2'),
    ('payment', 'payment_failed', '50000 5000 2'),
    ('payment', 'payment_cancelled', '50000 5000 2'),
    ('payment', 'payment_wake', '100000 2'),
    ('payment', 'payment_wake_merchant', '100000 10000 2'),
    ('payment', 'payment_track', '50000 2'),
    ('payment', 'payment_track_merchant', '50000 5000 2'),
    ('payment', 'payment_tasks', '1000 100 2'),
    ('event', 'event', '7000000 700000 7 1'),
    ('event', 'event_position', '7000000 700000 1'),
    ('transfer', 'transfer', '4000000 400000 4 2 1'),
    ('mail', 'sqlite_autoindex_mail_1', '5000000 500000 1'),
    ('mail', 'mail_due', '1000 2 2'),
    ('mail', 'mail_payment', '5000000 500000 5'),
    ('mail', 'mail_created', '5000000 500000 2'),
    ('webhook', 'sqlite_autoindex_webhook_1', '3000000 300000 1'),
    ('webhook', 'webhook_due', '1000 2 2'),
    ('webhook', 'webhook_payment', '3000000 300000 3'),
    ('webhook', 'webhook_created', '3000000 300000 2'),
    ('bank_order', 'sqlite_autoindex_bank_order_1', '100000 10000 1'),
    ('bank_order', 'bank_order_due', '100 2 2'),
    ('bank_order', 'bank_order_ref', '100000 10000 2'),
    ('settlement_line', 'settlement_line', '1000000 100000 1'),
    ('settlement_line', 'settlement_line_due', '20000 2000 200'),
    ('settlement_line', 'settlement_line_open', '20000 2000 200'),
    ('settlement_line', 'settlement_line_payout', '1000000 100000 1000'),
    ('settlement_line', 'settlement_line_payment', '1000000 100000 2'),
    ('payout', 'sqlite_autoindex_payout_1', '10000 1000 1'),
    ('payout', 'sqlite_autoindex_payout_2', '10000 1000 1'),
    ('directory', 'directory', '2000000 500000 1');
ANALYZE sqlite_schema; -- reads what was written

-- +goose Down
DELETE FROM sqlite_stat1;
DROP INDEX bank_order_ref;
DROP INDEX webhook_created;
DROP INDEX mail_created;

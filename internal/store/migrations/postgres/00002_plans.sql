-- +goose Up
CREATE INDEX mail_created ON mail (merchant, created_at);
CREATE INDEX webhook_created ON webhook (merchant, created_at);
CREATE INDEX bank_order_ref ON bank_order (merchant, ref);

-- What the planner believes about the tables of a young database: those of a busy server with ten
-- merchants. Without it the planner, who knows nothing yet, finds a payment through all rows of its
-- merchant as cheap as by its key, and keeps that plan while the table grows. The rows are made up,
-- measured and taken away; statistics stay until autovacuum measures the real ones.
-- +goose StatementBegin
DO $$
BEGIN
    IF EXISTS (SELECT 1 FROM payment) OR EXISTS (SELECT 1 FROM directory) OR EXISTS (SELECT 1 FROM sandbox_record) THEN
        RAISE EXCEPTION 'the database is in use and its schema is not; restore it from a backup';
    END IF;
END $$;
-- +goose StatementEnd
INSERT INTO payment (merchant, id, order_id, version, seq, state, escrow, method, amount, refunded, opened_at, paid_at, failed_at, cancelled_at,
        updated_at, wake_at, track_at, tasks, words, doc)
    SELECT 'm' || i % 10, 'p' || i, 'o' || i / 20, 6, 6, CASE WHEN i % 10 = 0 THEN 'shipped' ELSE 'confirmed' END, 1, 'vbank', 1000, 0, i,
        CASE WHEN i % 10 <> 1 THEN i END, CASE WHEN i % 20 = 1 THEN i END, CASE WHEN i % 20 = 2 THEN i END,
        i, CASE WHEN i % 10 = 0 THEN i END, CASE WHEN i % 20 = 0 THEN i END, CASE WHEN i % 1000 = 0 THEN 'look' END, repeat('w', 200), repeat('d', 1000)
    FROM generate_series(1, 3000) AS i;
INSERT INTO event (merchant, payment, seq, position, type, actor, at, doc)
    SELECT 'm' || i % 10, 'p' || i / 70, i / 10 % 7, i, 'paid', 'bank', i, '{}' FROM generate_series(1, 3000) AS i;
INSERT INTO transfer (merchant, ref, seq, n, debit, credit, amount, at)
    SELECT 'm' || i % 10, 'p' || i / 40, i / 20 % 2, i / 10 % 2, 'bank:escrow', 'held:p' || i / 40, 1000, i FROM generate_series(1, 3000) AS i;
INSERT INTO mail (merchant, id, payment, seq, kind, recipient, state, due_at, attempts, error, subject, body_text, body_html, created_at)
    SELECT 'm' || i % 10, 'i' || i, 'p' || i / 50, 1, 'paid', 'buyer', CASE WHEN i % 1000 = 0 THEN 'pending' ELSE 'sent' END, i, 1, '', '', '', '', i
    FROM generate_series(1, 3000) AS i;
INSERT INTO webhook (merchant, id, payment, seq, kind, url, state, due_at, attempts, max, log, created_at)
    SELECT 'm' || i % 10, 'i' || i, 'p' || i / 30, 1, 'status', 'u', CASE WHEN i % 1000 = 0 THEN 'pending' ELSE 'delivered' END, i, 1, 1, '[]', i
    FROM generate_series(1, 3000) AS i;
INSERT INTO bank_order (merchant, key, kind, ref, amount, bank, number, holder, card, state, due_at, attempts, detail, created_at)
    SELECT 'm' || i % 10, 'k' || i, 'refund', 'p' || i / 20, 1000, '004', '1', 'h', 0, CASE WHEN i % 1000 = 0 THEN 'pending' ELSE 'sent' END, i, 1, '', i
    FROM generate_series(1, 3000) AS i;
INSERT INTO settlement_line (merchant, id, payment, kind, gross, fee, vat, net, from_due, at, paid_at, due_date, held, payout)
    SELECT 'm' || i % 10, 'l' || i, 'p' || i / 20, 'sale', 1000, 0, 0, 1000, 0, i, i, (date '2026-01-01' + i / 30)::text, 0, CASE WHEN i % 50 <> 0 THEN 'y' || i / 100 END
    FROM generate_series(1, 3000) AS i;
INSERT INTO directory (kind, key, merchant, ref)
    SELECT 'k' || i % 4, 'd' || i, 'm' || i % 10, 'p' || i FROM generate_series(1, 3000) AS i;
INSERT INTO sandbox_record (merchant, kind, key, doc)
    SELECT 'm' || i % 10, 'k' || i % 7, 'r' || i, '{}' FROM generate_series(1, 3000) AS i;
ANALYZE payment, event, transfer, mail, webhook, bank_order, settlement_line, directory, sandbox_record;
TRUNCATE payment, event, transfer, mail, webhook, bank_order, settlement_line, directory, sandbox_record;

-- +goose Down
DROP INDEX bank_order_ref;
DROP INDEX webhook_created;
DROP INDEX mail_created;

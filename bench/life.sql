-- One whole life of an escrow for pgbench: the rows that Holdfast writes, and nothing
-- else, in one transaction per step. `go run ./bench -only postgres` makes the schema,
-- the table life_text with the recorded documents and letters, and runs it as
--     pgbench -n -M prepared -c CLIENTS -j 2 -T SECONDS -f bench/life.sql
-- Nothing is read, checked, decided, composed or answered. Positions of events come from
-- a sequence, so that no two lives wait for one row. A name after a colon is a variable to
-- pgbench, also within quotes: hence the cut texts.
\set n random(1, 9000000000000)
\set now 1795698237000000

BEGIN;
INSERT INTO directory (kind, key, merchant, ref) VALUES ('account', '004:9' || :n::bigint, 'mrc', 'imp_' || :n::bigint);
INSERT INTO event (merchant, payment, seq, position, type, actor, at, doc) VALUES
    ('mrc', 'imp_' || :n::bigint, 1, nextval('life_position'), 'Opened', 'shop', :now::bigint, '{"amount":30000}'),
    ('mrc', 'imp_' || :n::bigint, 2, nextval('life_position'), 'AccountIssued', 'bank', :now::bigint, '{"amount":30000,"ref":"9' || :n::bigint || '","due":1795957437000000}');
INSERT INTO mail (merchant, id, payment, seq, kind, recipient, state, due_at, attempts, error, subject, body_text, body_html, created_at, done_at)
    SELECT 'mrc', 'imp_' || :n::bigint || '-m2-0', 'imp_' || :n::bigint, 2, 'account_issued', 'buyer@holdfast.example', 'sent', :now::bigint, 1, '', s.body, t.body, h.body, :now::bigint, :now::bigint
    FROM life_text s, life_text t, life_text h WHERE s.name = 'mail.subject.0' AND t.name = 'mail.body_text.0' AND h.name = 'mail.body_html.0';
INSERT INTO payment (merchant, id, order_id, version, seq, state, escrow, method, amount, refunded, opened_at, updated_at, wake_at, words, doc)
    SELECT 'mrc', 'imp_' || :n::bigint, 'order-' || :n::bigint, 3, 2, 'awaiting_deposit', 1, 'virtual_account', 30000, 0, :now::bigint, :now::bigint, :now::bigint + 259200000000, w.body, d.body
    FROM life_text w, life_text d WHERE w.name = 'payment.words.0' AND d.name = 'payment.doc.0';
INSERT INTO sandbox_record (merchant, kind, key, doc) VALUES ('*', 'bank.account', '004-9' || :n::bigint, '{"Merchant":"mrc","Payment":"imp_' || :n::bigint || '","Amount":30000,"Due":1795957437000000}');
COMMIT;

BEGIN;
INSERT INTO event (merchant, payment, seq, position, type, actor, at, doc) VALUES
    ('mrc', 'imp_' || :n::bigint, 3, nextval('life_position'), 'Paid', 'bank', :now::bigint, '{"amount":30000,"ref":"00420261126-9' || :n::bigint || '-001"}');
INSERT INTO mail (merchant, id, payment, seq, kind, recipient, state, due_at, attempts, error, subject, body_text, body_html, created_at, done_at)
    SELECT 'mrc', 'imp_' || :n::bigint || '-m3-0', 'imp_' || :n::bigint, 3, 'paid', 'buyer@holdfast.example', 'sent', :now::bigint, 1, '', s.body, t.body, h.body, :now::bigint, :now::bigint
    FROM life_text s, life_text t, life_text h WHERE s.name = 'mail.subject.1' AND t.name = 'mail.body_text.1' AND h.name = 'mail.body_html.1';
UPDATE payment SET version = 4, seq = 3, state = 'held', paid_at = :now::bigint, updated_at = :now::bigint, wake_at = NULL,
    words = (SELECT body FROM life_text WHERE name = 'payment.words.1'), doc = (SELECT body FROM life_text WHERE name = 'payment.doc.1')
    WHERE merchant = 'mrc' AND id = 'imp_' || :n::bigint;
INSERT INTO sandbox_record (merchant, kind, key, doc) VALUES ('mrc', 'bank.deposit', '00420261126-9' || :n::bigint || '-001',
    '{"BankTx":"00420261126-9' || :n::bigint || '-001","Merchant":"mrc","Payment":"imp_' || :n::bigint || '","Amount":30000,"At":1795698237000000,"Payer":{"Bank":"088","Number":"110123456789"}}');
INSERT INTO transfer (merchant, ref, seq, n, debit, credit, amount, at) VALUES ('mrc', 'imp_' || :n::bigint, 3, 400, 'bank:' || 'escrow', 'held:' || 'imp_' || :n::bigint, 30000, :now::bigint);
COMMIT;

BEGIN;
INSERT INTO directory (kind, key, merchant, ref) VALUES ('decide', repeat('0', 50) || :n::bigint, 'mrc', 'imp_' || :n::bigint);
INSERT INTO event (merchant, payment, seq, position, type, actor, at, doc) VALUES
    ('mrc', 'imp_' || :n::bigint, 4, nextval('life_position'), 'DeliveryRegistered', 'shop', :now::bigint, '{"kind":"CJ","ref":"6' || :n::bigint || '"}'),
    ('mrc', 'imp_' || :n::bigint, 5, nextval('life_position'), 'NoticeDelivered', 'system', :now::bigint, '{}'),
    ('mrc', 'imp_' || :n::bigint, 6, nextval('life_position'), 'DecisionDue', 'system', :now::bigint, '{"kind":"after_registration","lastDay":"2026-12-04","due":1796310000000000}');
INSERT INTO mail (merchant, id, payment, seq, kind, recipient, state, due_at, attempts, error, subject, body_text, body_html, created_at, done_at)
    SELECT 'mrc', 'imp_' || :n::bigint || '-m4-0', 'imp_' || :n::bigint, 4, 'shipped', 'buyer@holdfast.example', 'sent', :now::bigint, 1, '', s.body, t.body, h.body, :now::bigint, :now::bigint
    FROM life_text s, life_text t, life_text h WHERE s.name = 'mail.subject.2' AND t.name = 'mail.body_text.2' AND h.name = 'mail.body_html.2';
UPDATE payment SET version = 6, seq = 6, state = 'shipped', updated_at = :now::bigint, wake_at = :now::bigint + 388563000000, track_at = :now::bigint + 3600000000,
    words = (SELECT body FROM life_text WHERE name = 'payment.words.2'), doc = (SELECT body FROM life_text WHERE name = 'payment.doc.2')
    WHERE merchant = 'mrc' AND id = 'imp_' || :n::bigint;
COMMIT;

BEGIN;
INSERT INTO event (merchant, payment, seq, position, type, actor, at, doc) VALUES
    ('mrc', 'imp_' || :n::bigint, 7, nextval('life_position'), 'Confirmed', 'buyer', :now::bigint, '{"amount":30000,"kind":"buyer"}');
INSERT INTO mail (merchant, id, payment, seq, kind, recipient, state, due_at, attempts, error, subject, body_text, body_html, created_at, done_at)
    SELECT 'mrc', 'imp_' || :n::bigint || '-m7-0', 'imp_' || :n::bigint, 7, 'confirmed', 'buyer@holdfast.example', 'sent', :now::bigint, 1, '', s.body, t.body, h.body, :now::bigint, :now::bigint
    FROM life_text s, life_text t, life_text h WHERE s.name = 'mail.subject.3' AND t.name = 'mail.body_text.3' AND h.name = 'mail.body_html.3';
UPDATE payment SET version = 7, seq = 7, state = 'confirmed', updated_at = :now::bigint, wake_at = NULL, track_at = NULL,
    doc = (SELECT body FROM life_text WHERE name = 'payment.doc.3')
    WHERE merchant = 'mrc' AND id = 'imp_' || :n::bigint;
INSERT INTO settlement_line (merchant, id, payment, kind, gross, fee, vat, net, from_due, at, paid_at, due_date, held) VALUES
    ('mrc', 'imp_' || :n::bigint || '-l7', 'imp_' || :n::bigint, 'sale', 30000, 300, 30, 29670, 0, :now::bigint, :now::bigint, '2026-12-01', 0);
INSERT INTO transfer (merchant, ref, seq, n, debit, credit, amount, at) VALUES
    ('mrc', 'imp_' || :n::bigint, 7, 700, 'held:' || 'imp_' || :n::bigint, 'shop:' || 'mrc', 29670, :now::bigint),
    ('mrc', 'imp_' || :n::bigint, 7, 701, 'held:' || 'imp_' || :n::bigint, 'fee', 300, :now::bigint),
    ('mrc', 'imp_' || :n::bigint, 7, 702, 'held:' || 'imp_' || :n::bigint, 'vat', 30, :now::bigint);
COMMIT;

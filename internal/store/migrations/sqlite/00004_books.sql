-- +goose Up
-- Every event and every transfer carries a hash over the one before it in the merchant's log
-- and over itself, so that none can be changed, taken out, put in or moved without a trace. Rows
-- that exist already get theirs when the database is opened.
ALTER TABLE event ADD COLUMN hash BLOB;
ALTER TABLE transfer ADD COLUMN position INTEGER; -- in the merchant's ledger: order of commits, without gaps
ALTER TABLE transfer ADD COLUMN hash BLOB;
UPDATE transfer SET position = placed.position
    FROM (SELECT merchant, ref, seq, n, row_number() OVER (PARTITION BY merchant ORDER BY at, ref, seq, n) AS position FROM transfer) AS placed
    WHERE transfer.merchant = placed.merchant AND transfer.ref = placed.ref AND transfer.seq = placed.seq AND transfer.n = placed.n;
CREATE UNIQUE INDEX transfer_position ON transfer (merchant, position);

-- The ends of both chains.
ALTER TABLE event_log ADD COLUMN last_hash BLOB;
ALTER TABLE event_log ADD COLUMN last_transfer INTEGER NOT NULL DEFAULT 0;
ALTER TABLE event_log ADD COLUMN last_transfer_hash BLOB;
INSERT INTO event_log (merchant, last_position) SELECT DISTINCT merchant, 0 FROM transfer WHERE true ON CONFLICT (merchant) DO NOTHING;
UPDATE event_log SET last_transfer = COALESCE((SELECT max(position) FROM transfer WHERE transfer.merchant = event_log.merchant), 0);

-- Rows that change, or that stand in no chain, carry a sum over themselves.
ALTER TABLE payment ADD COLUMN sum BLOB;
ALTER TABLE settlement_line ADD COLUMN sum BLOB;

-- How far the books of each merchant are verified, and what the ends were there.
CREATE TABLE books_head (
    merchant      TEXT    NOT NULL PRIMARY KEY,
    position      INTEGER NOT NULL,
    hash          BLOB,
    transfer      INTEGER NOT NULL,
    transfer_hash BLOB,
    at            INTEGER NOT NULL -- the machine's clock
) STRICT, WITHOUT ROWID;

-- What the auditor remembers between two steps, by name.
CREATE TABLE books_state (
    name         TEXT    NOT NULL PRIMARY KEY,
    version      INTEGER NOT NULL,
    leased_until INTEGER NOT NULL, -- the machine's clock
    doc          TEXT    NOT NULL
) STRICT, WITHOUT ROWID;
-- A database without rows has nothing to complete.
INSERT INTO books_state (name, version, leased_until, doc) SELECT 'complete', 1, 0, ''
    WHERE NOT EXISTS (SELECT 1 FROM event_log) AND NOT EXISTS (SELECT 1 FROM payment) AND NOT EXISTS (SELECT 1 FROM settlement_line);

-- What did not agree. While one is not released, no payout leaves.
CREATE TABLE books_violation (
    merchant    TEXT    NOT NULL,
    id          TEXT    NOT NULL, -- by kind and place: found again, it is the same
    kind        TEXT    NOT NULL,
    subject     TEXT    NOT NULL, -- table or account
    ref         TEXT    NOT NULL, -- payment, payout or line
    position    INTEGER NOT NULL,
    want        TEXT    NOT NULL,
    got         TEXT    NOT NULL,
    found_at    INTEGER NOT NULL, -- the machine's clock
    seen_at     INTEGER NOT NULL,
    released_at INTEGER,
    released_by TEXT,
    reason      TEXT,
    PRIMARY KEY (merchant, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX books_violation_open ON books_violation (found_at) WHERE released_at IS NULL;

-- By how much the money held for buyers changed on a Korean day of the merchant's clock, over the
-- transfers up to books_head.
CREATE TABLE held_day (
    merchant TEXT    NOT NULL,
    day      TEXT    NOT NULL,
    change   INTEGER NOT NULL,
    PRIMARY KEY (merchant, day)
) STRICT, WITHOUT ROWID;

INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES ('transfer', 'transfer_position', '4000000 400000 1');
ANALYZE sqlite_schema; -- reads what was written

-- +goose Down
SELECT 'the ground is not taken away';

-- +goose Up
-- Every event and every transfer carries a hash over the one before it in the merchant's log
-- and over itself, so that none can be changed, taken out, put in or moved without a trace. Rows
-- that exist already get theirs when the database is opened.
ALTER TABLE event ADD COLUMN hash BYTEA;
ALTER TABLE transfer ADD COLUMN position BIGINT; -- in the merchant's ledger: order of commits, without gaps
ALTER TABLE transfer ADD COLUMN hash BYTEA;
UPDATE transfer SET position = placed.position
    FROM (SELECT merchant, ref, seq, n, row_number() OVER (PARTITION BY merchant ORDER BY at, ref, seq, n) AS position FROM transfer) AS placed
    WHERE transfer.merchant = placed.merchant AND transfer.ref = placed.ref AND transfer.seq = placed.seq AND transfer.n = placed.n;
CREATE UNIQUE INDEX transfer_position ON transfer (merchant, position);

-- The ends of both chains.
ALTER TABLE event_log ADD COLUMN last_hash BYTEA;
ALTER TABLE event_log ADD COLUMN last_transfer BIGINT NOT NULL DEFAULT 0;
ALTER TABLE event_log ADD COLUMN last_transfer_hash BYTEA;
INSERT INTO event_log (merchant, last_position) SELECT DISTINCT merchant, 0 FROM transfer ON CONFLICT (merchant) DO NOTHING;
UPDATE event_log SET last_transfer = COALESCE((SELECT max(position) FROM transfer WHERE transfer.merchant = event_log.merchant), 0);

-- Rows that change, or that stand in no chain, carry a sum over themselves.
ALTER TABLE payment ADD COLUMN sum BYTEA;
ALTER TABLE settlement_line ADD COLUMN sum BYTEA;

-- How far the books of each merchant are verified, and what the ends were there.
CREATE TABLE books_head (
    merchant      TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    position      BIGINT           NOT NULL,
    hash          BYTEA,
    transfer      BIGINT           NOT NULL,
    transfer_hash BYTEA,
    at            BIGINT           NOT NULL -- the machine's clock
);

-- What the auditor remembers between two steps, by name.
CREATE TABLE books_state (
    name          TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    version       BIGINT           NOT NULL,
    leased_until  BIGINT           NOT NULL, -- the machine's clock
    doc           TEXT COLLATE "C" NOT NULL
);
-- A database without rows has nothing to complete.
INSERT INTO books_state (name, version, leased_until, doc) SELECT 'complete', 1, 0, ''
    WHERE NOT EXISTS (SELECT 1 FROM event_log) AND NOT EXISTS (SELECT 1 FROM payment) AND NOT EXISTS (SELECT 1 FROM settlement_line);

-- What did not agree. While one is not released, no payout leaves.
CREATE TABLE books_violation (
    merchant      TEXT COLLATE "C" NOT NULL,
    id            TEXT COLLATE "C" NOT NULL, -- by kind and place: found again, it is the same
    kind          TEXT COLLATE "C" NOT NULL,
    subject       TEXT COLLATE "C" NOT NULL, -- table or account
    ref           TEXT COLLATE "C" NOT NULL, -- payment, payout or line
    position      BIGINT           NOT NULL,
    want          TEXT COLLATE "C" NOT NULL,
    got           TEXT COLLATE "C" NOT NULL,
    found_at      BIGINT           NOT NULL, -- the machine's clock
    seen_at       BIGINT           NOT NULL,
    released_at   BIGINT,
    released_by   TEXT COLLATE "C",
    reason        TEXT COLLATE "C",
    PRIMARY KEY (merchant, id)
);
CREATE INDEX books_violation_open ON books_violation (found_at) WHERE released_at IS NULL;

-- By how much the money held for buyers changed on a Korean day of the merchant's clock, over the
-- transfers up to books_head.
CREATE TABLE held_day (
    merchant      TEXT COLLATE "C" NOT NULL,
    day           TEXT COLLATE "C" NOT NULL,
    change        BIGINT           NOT NULL,
    PRIMARY KEY (merchant, day)
);

-- +goose Down
SELECT 'the ground is not taken away';

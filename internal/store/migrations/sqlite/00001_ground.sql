-- +goose Up
-- Instants are microseconds since 1970 UTC; dates are ISO text in Korea; amounts are whole won.
-- Every key begins with the merchant, except in the directory, which finds the merchant.

CREATE TABLE merchant (
    id         TEXT    NOT NULL PRIMARY KEY,
    mode       TEXT    NOT NULL,
    name       TEXT    NOT NULL,
    ahead      INTEGER NOT NULL DEFAULT 0, -- microseconds by which the test clock runs ahead
    version    INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    doc        TEXT    NOT NULL
) STRICT;
CREATE INDEX merchant_ahead ON merchant (ahead) WHERE ahead > 0;

-- What must be found without knowing the merchant: shop codes, keys, account numbers, decision links.
CREATE TABLE directory (
    kind     TEXT NOT NULL,
    key      TEXT NOT NULL,
    merchant TEXT NOT NULL,
    ref      TEXT NOT NULL,
    PRIMARY KEY (kind, key)
) STRICT, WITHOUT ROWID;

CREATE TABLE api_key (
    merchant    TEXT    NOT NULL,
    id          TEXT    NOT NULL, -- imp_key
    secret_hash TEXT    NOT NULL,
    created_at  INTEGER NOT NULL,
    revoked_at  INTEGER,
    PRIMARY KEY (merchant, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE access_token (
    merchant   TEXT    NOT NULL,
    key_id     TEXT    NOT NULL,
    issued_at  INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    PRIMARY KEY (merchant, key_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE payment (
    merchant     TEXT    NOT NULL,
    id           TEXT    NOT NULL,
    order_id     TEXT    NOT NULL,
    version      INTEGER NOT NULL,
    seq          INTEGER NOT NULL,
    state        TEXT    NOT NULL,
    escrow       INTEGER NOT NULL,
    method       TEXT    NOT NULL,
    amount       INTEGER NOT NULL CHECK (amount > 0),
    refunded     INTEGER NOT NULL CHECK (refunded >= 0 AND refunded <= amount),
    opened_at    INTEGER NOT NULL,
    paid_at      INTEGER,
    failed_at    INTEGER,
    cancelled_at INTEGER,
    updated_at   INTEGER NOT NULL,
    wake_at      INTEGER, -- when Tick has something to do
    track_at     INTEGER, -- when the carrier is asked next
    tasks        TEXT,    -- open tasks, comma separated
    words        TEXT    NOT NULL DEFAULT '', -- what people search for, in small letters
    doc          TEXT    NOT NULL,
    PRIMARY KEY (merchant, id)
) STRICT;
CREATE INDEX payment_order ON payment (merchant, order_id);
CREATE INDEX payment_opened ON payment (merchant, opened_at);
CREATE INDEX payment_paid ON payment (merchant, paid_at) WHERE paid_at IS NOT NULL;
CREATE INDEX payment_failed ON payment (merchant, failed_at) WHERE failed_at IS NOT NULL;
CREATE INDEX payment_cancelled ON payment (merchant, cancelled_at) WHERE cancelled_at IS NOT NULL;
CREATE INDEX payment_wake ON payment (wake_at) WHERE wake_at IS NOT NULL;
CREATE INDEX payment_wake_merchant ON payment (merchant, wake_at) WHERE wake_at IS NOT NULL;
CREATE INDEX payment_track ON payment (track_at) WHERE track_at IS NOT NULL;
CREATE INDEX payment_track_merchant ON payment (merchant, track_at) WHERE track_at IS NOT NULL;
CREATE INDEX payment_tasks ON payment (merchant, updated_at) WHERE tasks IS NOT NULL;

CREATE TABLE event (
    merchant TEXT    NOT NULL,
    payment  TEXT    NOT NULL,
    seq      INTEGER NOT NULL,
    position INTEGER NOT NULL, -- in the merchant's log: order of commits, without gaps
    type     TEXT    NOT NULL,
    actor    TEXT    NOT NULL,
    at       INTEGER NOT NULL,
    doc      TEXT    NOT NULL,
    PRIMARY KEY (merchant, payment, seq)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX event_position ON event (merchant, position);

CREATE TABLE transfer (
    merchant TEXT    NOT NULL,
    ref      TEXT    NOT NULL, -- payment or payout
    seq      INTEGER NOT NULL, -- last event of the decision
    n        INTEGER NOT NULL,
    debit    TEXT    NOT NULL,
    credit   TEXT    NOT NULL,
    amount   INTEGER NOT NULL CHECK (amount > 0),
    at       INTEGER NOT NULL,
    PRIMARY KEY (merchant, ref, seq, n),
    CHECK (debit <> credit)
) STRICT, WITHOUT ROWID;

CREATE TABLE mail (
    merchant   TEXT    NOT NULL,
    id         TEXT    NOT NULL,
    payment    TEXT    NOT NULL,
    seq        INTEGER NOT NULL,
    kind       TEXT    NOT NULL,
    recipient  TEXT    NOT NULL,
    state      TEXT    NOT NULL, -- pending, sent, failed, bounced
    due_at     INTEGER NOT NULL,
    attempts   INTEGER NOT NULL,
    leased     INTEGER NOT NULL DEFAULT 0, -- 1 while somebody is at it
    error      TEXT    NOT NULL,
    subject    TEXT    NOT NULL,
    body_text  TEXT    NOT NULL,
    body_html  TEXT    NOT NULL,
    created_at INTEGER NOT NULL,
    done_at    INTEGER,
    PRIMARY KEY (merchant, id)
) STRICT;
CREATE INDEX mail_due ON mail (due_at, merchant) WHERE state = 'pending';
CREATE INDEX mail_payment ON mail (merchant, payment);

CREATE TABLE webhook (
    merchant   TEXT    NOT NULL,
    id         TEXT    NOT NULL,
    payment    TEXT    NOT NULL,
    seq        INTEGER NOT NULL,
    kind       TEXT    NOT NULL, -- status, escrow
    url        TEXT    NOT NULL,
    state      TEXT    NOT NULL, -- pending, delivered, failed
    due_at     INTEGER NOT NULL, -- the merchant's clock
    attempts   INTEGER NOT NULL,
    leased     INTEGER NOT NULL DEFAULT 0, -- 1 while somebody is at it
    max        INTEGER NOT NULL,
    log        TEXT    NOT NULL, -- the attempts, with request and answer
    created_at INTEGER NOT NULL,
    done_at    INTEGER,
    PRIMARY KEY (merchant, id)
) STRICT;
CREATE INDEX webhook_due ON webhook (due_at, merchant) WHERE state = 'pending';
CREATE INDEX webhook_payment ON webhook (merchant, payment);

CREATE TABLE bank_order (
    merchant   TEXT    NOT NULL,
    key        TEXT    NOT NULL, -- idempotent at the bank
    kind       TEXT    NOT NULL, -- refund, payout
    ref        TEXT    NOT NULL, -- payment or payout
    amount     INTEGER NOT NULL CHECK (amount > 0),
    bank       TEXT    NOT NULL,
    number     TEXT    NOT NULL,
    holder     TEXT    NOT NULL,
    card       INTEGER NOT NULL,
    state      TEXT    NOT NULL, -- pending, asked, sent, failed
    due_at     INTEGER NOT NULL,
    attempts   INTEGER NOT NULL,
    leased     INTEGER NOT NULL DEFAULT 0, -- 1 while somebody is at it
    detail     TEXT    NOT NULL,
    created_at INTEGER NOT NULL,
    done_at    INTEGER,
    PRIMARY KEY (merchant, key)
) STRICT;
CREATE INDEX bank_order_due ON bank_order (due_at, merchant) WHERE state IN ('pending', 'asked');

CREATE TABLE settlement_line (
    merchant TEXT    NOT NULL,
    id       TEXT    NOT NULL,
    payment  TEXT    NOT NULL,
    kind     TEXT    NOT NULL,
    gross    INTEGER NOT NULL,
    fee      INTEGER NOT NULL,
    vat      INTEGER NOT NULL,
    net      INTEGER NOT NULL,
    from_due INTEGER NOT NULL,
    at       INTEGER NOT NULL,
    paid_at  INTEGER NOT NULL,
    due_date TEXT    NOT NULL,
    held     INTEGER NOT NULL, -- 1 while a withdrawal waits for an answer
    payout   TEXT,
    PRIMARY KEY (merchant, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX settlement_line_due ON settlement_line (due_date, merchant) WHERE payout IS NULL AND held = 0;
CREATE INDEX settlement_line_open ON settlement_line (merchant, due_date) WHERE payout IS NULL AND held = 0;
CREATE INDEX settlement_line_payout ON settlement_line (merchant, payout) WHERE payout IS NOT NULL;
CREATE INDEX settlement_line_payment ON settlement_line (merchant, payment);

CREATE TABLE payout (
    merchant TEXT    NOT NULL,
    id       TEXT    NOT NULL,
    date     TEXT    NOT NULL,
    gross    INTEGER NOT NULL,
    fee      INTEGER NOT NULL,
    vat      INTEGER NOT NULL,
    deducted INTEGER NOT NULL,
    from_due INTEGER NOT NULL,
    amount   INTEGER NOT NULL CHECK (amount > 0),
    lines    INTEGER NOT NULL,
    state    TEXT    NOT NULL,
    attempt  INTEGER NOT NULL,
    reason   TEXT    NOT NULL,
    bank     TEXT    NOT NULL,
    number   TEXT    NOT NULL,
    holder   TEXT    NOT NULL,
    order_at INTEGER NOT NULL,
    done_at  INTEGER,
    PRIMARY KEY (merchant, id),
    UNIQUE (merchant, date)
) STRICT;

CREATE TABLE prepared (
    merchant TEXT    NOT NULL,
    order_id TEXT    NOT NULL,
    amount   INTEGER NOT NULL CHECK (amount > 0),
    currency TEXT    NOT NULL,
    at       INTEGER NOT NULL,
    PRIMARY KEY (merchant, order_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE cash_receipt (
    merchant   TEXT NOT NULL,
    kind       TEXT NOT NULL, -- payment, external
    ref        TEXT NOT NULL, -- payment id, or order id of an external one
    doc        TEXT NOT NULL,
    PRIMARY KEY (merchant, kind, ref)
) STRICT, WITHOUT ROWID;

CREATE TABLE staff (
    merchant      TEXT    NOT NULL,
    id            TEXT    NOT NULL,
    email         TEXT    NOT NULL,
    password_hash TEXT    NOT NULL,
    created_at    INTEGER NOT NULL,
    PRIMARY KEY (merchant, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE session (
    token  TEXT    NOT NULL PRIMARY KEY,
    data   BLOB    NOT NULL,
    expiry INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX session_expiry ON session (expiry);

CREATE TABLE calendar_override (
    date   TEXT    NOT NULL PRIMARY KEY,
    closed INTEGER NOT NULL,
    reason TEXT    NOT NULL,
    at     INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE audit (
    merchant TEXT    NOT NULL, -- empty for what concerns all
    id       TEXT    NOT NULL,
    at       INTEGER NOT NULL,
    actor    TEXT    NOT NULL,
    action   TEXT    NOT NULL,
    subject  TEXT    NOT NULL,
    detail   TEXT    NOT NULL,
    PRIMARY KEY (merchant, id)
) STRICT, WITHOUT ROWID;

-- The memory of the simulated bank and carrier; sandbox merchants only.
CREATE TABLE sandbox_record (
    merchant TEXT NOT NULL,
    kind     TEXT NOT NULL,
    key      TEXT NOT NULL,
    doc      TEXT NOT NULL,
    PRIMARY KEY (merchant, kind, key)
) STRICT, WITHOUT ROWID;

-- +goose Down
SELECT 'the ground is not taken away';

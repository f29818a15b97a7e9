-- +goose Up
-- Instants are microseconds since 1970 UTC; dates are ISO text in Korea; amounts are whole won.
-- Text is compared byte by byte (COLLATE "C"), so that order and case are those of the SQLite schema.
-- Every key begins with the merchant, except in the directory, which finds the merchant.

CREATE TABLE merchant (
    id         TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    mode       TEXT COLLATE "C" NOT NULL,
    name       TEXT COLLATE "C" NOT NULL,
    ahead      BIGINT           NOT NULL DEFAULT 0, -- microseconds by which the test clock runs ahead
    version    BIGINT           NOT NULL,
    created_at BIGINT           NOT NULL,
    doc        TEXT COLLATE "C" NOT NULL
);
CREATE INDEX merchant_ahead ON merchant (ahead) WHERE ahead > 0;

-- What must be found without knowing the merchant: shop codes, keys, account numbers, decision links.
CREATE TABLE directory (
    kind     TEXT COLLATE "C" NOT NULL,
    key      TEXT COLLATE "C" NOT NULL,
    merchant TEXT COLLATE "C" NOT NULL,
    ref      TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (kind, key)
);

CREATE TABLE api_key (
    merchant    TEXT COLLATE "C" NOT NULL,
    id          TEXT COLLATE "C" NOT NULL, -- imp_key
    secret_hash TEXT COLLATE "C" NOT NULL,
    created_at  BIGINT           NOT NULL,
    revoked_at  BIGINT,
    PRIMARY KEY (merchant, id)
);

CREATE TABLE access_token (
    merchant   TEXT COLLATE "C" NOT NULL,
    key_id     TEXT COLLATE "C" NOT NULL,
    issued_at  BIGINT           NOT NULL,
    expires_at BIGINT           NOT NULL,
    PRIMARY KEY (merchant, key_id)
);

CREATE TABLE payment (
    merchant     TEXT COLLATE "C" NOT NULL,
    id           TEXT COLLATE "C" NOT NULL,
    order_id     TEXT COLLATE "C" NOT NULL,
    version      BIGINT           NOT NULL,
    seq          BIGINT           NOT NULL,
    state        TEXT COLLATE "C" NOT NULL,
    escrow       BIGINT           NOT NULL,
    method       TEXT COLLATE "C" NOT NULL,
    amount       BIGINT           NOT NULL CHECK (amount > 0),
    refunded     BIGINT           NOT NULL CHECK (refunded >= 0 AND refunded <= amount),
    opened_at    BIGINT           NOT NULL,
    paid_at      BIGINT,
    failed_at    BIGINT,
    cancelled_at BIGINT,
    updated_at   BIGINT           NOT NULL,
    wake_at      BIGINT, -- when Tick has something to do
    track_at     BIGINT, -- when the carrier is asked next
    tasks        TEXT COLLATE "C", -- open tasks, comma separated
    words        TEXT COLLATE "C" NOT NULL DEFAULT '', -- what people search for, in small letters
    doc          TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (merchant, id)
);
CREATE INDEX payment_order ON payment (merchant, order_id);
CREATE INDEX payment_opened ON payment (merchant, opened_at);
CREATE INDEX payment_paid ON payment (merchant, paid_at NULLS FIRST) WHERE paid_at IS NOT NULL;
CREATE INDEX payment_failed ON payment (merchant, failed_at NULLS FIRST) WHERE failed_at IS NOT NULL;
CREATE INDEX payment_cancelled ON payment (merchant, cancelled_at NULLS FIRST) WHERE cancelled_at IS NOT NULL;
CREATE INDEX payment_wake ON payment (wake_at) WHERE wake_at IS NOT NULL;
CREATE INDEX payment_wake_merchant ON payment (merchant, wake_at) WHERE wake_at IS NOT NULL;
CREATE INDEX payment_track ON payment (track_at) WHERE track_at IS NOT NULL;
CREATE INDEX payment_track_merchant ON payment (merchant, track_at) WHERE track_at IS NOT NULL;
CREATE INDEX payment_tasks ON payment (merchant, updated_at) WHERE tasks IS NOT NULL;

CREATE TABLE event (
    merchant TEXT COLLATE "C" NOT NULL,
    payment  TEXT COLLATE "C" NOT NULL,
    seq      BIGINT           NOT NULL,
    position BIGINT           NOT NULL, -- in the merchant's log: order of commits, without gaps
    type     TEXT COLLATE "C" NOT NULL,
    actor    TEXT COLLATE "C" NOT NULL,
    at       BIGINT           NOT NULL,
    doc      TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (merchant, payment, seq)
);
CREATE UNIQUE INDEX event_position ON event (merchant, position);

CREATE TABLE transfer (
    merchant TEXT COLLATE "C" NOT NULL,
    ref      TEXT COLLATE "C" NOT NULL, -- payment or payout
    seq      BIGINT           NOT NULL, -- last event of the decision
    n        BIGINT           NOT NULL,
    debit    TEXT COLLATE "C" NOT NULL,
    credit   TEXT COLLATE "C" NOT NULL,
    amount   BIGINT           NOT NULL CHECK (amount > 0),
    at       BIGINT           NOT NULL,
    PRIMARY KEY (merchant, ref, seq, n),
    CHECK (debit <> credit)
);

CREATE TABLE mail (
    merchant   TEXT COLLATE "C" NOT NULL,
    id         TEXT COLLATE "C" NOT NULL,
    payment    TEXT COLLATE "C" NOT NULL,
    seq        BIGINT           NOT NULL,
    kind       TEXT COLLATE "C" NOT NULL,
    recipient  TEXT COLLATE "C" NOT NULL,
    state      TEXT COLLATE "C" NOT NULL, -- pending, sent, failed, bounced
    due_at     BIGINT           NOT NULL,
    attempts   BIGINT           NOT NULL,
    leased     BIGINT           NOT NULL DEFAULT 0, -- 1 while somebody is at it
    error      TEXT COLLATE "C" NOT NULL,
    subject    TEXT COLLATE "C" NOT NULL,
    body_text  TEXT COLLATE "C" NOT NULL,
    body_html  TEXT COLLATE "C" NOT NULL,
    created_at BIGINT           NOT NULL,
    done_at    BIGINT,
    PRIMARY KEY (merchant, id)
);
CREATE INDEX mail_due ON mail (due_at, merchant) WHERE state = 'pending';
CREATE INDEX mail_payment ON mail (merchant, payment);

CREATE TABLE webhook (
    merchant   TEXT COLLATE "C" NOT NULL,
    id         TEXT COLLATE "C" NOT NULL,
    payment    TEXT COLLATE "C" NOT NULL,
    seq        BIGINT           NOT NULL,
    kind       TEXT COLLATE "C" NOT NULL, -- status, escrow
    url        TEXT COLLATE "C" NOT NULL,
    state      TEXT COLLATE "C" NOT NULL, -- pending, delivered, failed
    due_at     BIGINT           NOT NULL, -- the merchant's clock
    attempts   BIGINT           NOT NULL,
    leased     BIGINT           NOT NULL DEFAULT 0, -- 1 while somebody is at it
    max        BIGINT           NOT NULL,
    log        TEXT COLLATE "C" NOT NULL, -- the attempts, with request and answer
    created_at BIGINT           NOT NULL,
    done_at    BIGINT,
    PRIMARY KEY (merchant, id)
);
CREATE INDEX webhook_due ON webhook (due_at, merchant) WHERE state = 'pending';
CREATE INDEX webhook_payment ON webhook (merchant, payment);

CREATE TABLE bank_order (
    merchant   TEXT COLLATE "C" NOT NULL,
    key        TEXT COLLATE "C" NOT NULL, -- idempotent at the bank
    kind       TEXT COLLATE "C" NOT NULL, -- refund, payout
    ref        TEXT COLLATE "C" NOT NULL, -- payment or payout
    amount     BIGINT           NOT NULL CHECK (amount > 0),
    bank       TEXT COLLATE "C" NOT NULL,
    number     TEXT COLLATE "C" NOT NULL,
    holder     TEXT COLLATE "C" NOT NULL,
    card       BIGINT           NOT NULL,
    state      TEXT COLLATE "C" NOT NULL, -- pending, asked, sent, failed
    due_at     BIGINT           NOT NULL,
    attempts   BIGINT           NOT NULL,
    leased     BIGINT           NOT NULL DEFAULT 0, -- 1 while somebody is at it
    detail     TEXT COLLATE "C" NOT NULL,
    created_at BIGINT           NOT NULL,
    done_at    BIGINT,
    PRIMARY KEY (merchant, key)
);
CREATE INDEX bank_order_due ON bank_order (due_at, merchant) WHERE state IN ('pending', 'asked');

CREATE TABLE settlement_line (
    merchant TEXT COLLATE "C" NOT NULL,
    id       TEXT COLLATE "C" NOT NULL,
    payment  TEXT COLLATE "C" NOT NULL,
    kind     TEXT COLLATE "C" NOT NULL,
    gross    BIGINT           NOT NULL,
    fee      BIGINT           NOT NULL,
    vat      BIGINT           NOT NULL,
    net      BIGINT           NOT NULL,
    from_due BIGINT           NOT NULL,
    at       BIGINT           NOT NULL,
    paid_at  BIGINT           NOT NULL,
    due_date TEXT COLLATE "C" NOT NULL,
    held     BIGINT           NOT NULL, -- 1 while a withdrawal waits for an answer
    payout   TEXT COLLATE "C",
    PRIMARY KEY (merchant, id)
);
CREATE INDEX settlement_line_due ON settlement_line (due_date, merchant) WHERE payout IS NULL AND held = 0;
CREATE INDEX settlement_line_open ON settlement_line (merchant, due_date) WHERE payout IS NULL AND held = 0;
CREATE INDEX settlement_line_payout ON settlement_line (merchant, payout) WHERE payout IS NOT NULL;
CREATE INDEX settlement_line_payment ON settlement_line (merchant, payment);

CREATE TABLE payout (
    merchant TEXT COLLATE "C" NOT NULL,
    id       TEXT COLLATE "C" NOT NULL,
    date     TEXT COLLATE "C" NOT NULL,
    gross    BIGINT           NOT NULL,
    fee      BIGINT           NOT NULL,
    vat      BIGINT           NOT NULL,
    deducted BIGINT           NOT NULL,
    from_due BIGINT           NOT NULL,
    amount   BIGINT           NOT NULL CHECK (amount > 0),
    lines    BIGINT           NOT NULL,
    state    TEXT COLLATE "C" NOT NULL,
    attempt  BIGINT           NOT NULL,
    reason   TEXT COLLATE "C" NOT NULL,
    bank     TEXT COLLATE "C" NOT NULL,
    number   TEXT COLLATE "C" NOT NULL,
    holder   TEXT COLLATE "C" NOT NULL,
    order_at BIGINT           NOT NULL,
    done_at  BIGINT,
    PRIMARY KEY (merchant, id),
    UNIQUE (merchant, date)
);

CREATE TABLE prepared (
    merchant TEXT COLLATE "C" NOT NULL,
    order_id TEXT COLLATE "C" NOT NULL,
    amount   BIGINT           NOT NULL CHECK (amount > 0),
    currency TEXT COLLATE "C" NOT NULL,
    at       BIGINT           NOT NULL,
    PRIMARY KEY (merchant, order_id)
);

CREATE TABLE cash_receipt (
    merchant TEXT COLLATE "C" NOT NULL,
    kind     TEXT COLLATE "C" NOT NULL, -- payment, external
    ref      TEXT COLLATE "C" NOT NULL, -- payment id, or order id of an external one
    doc      TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (merchant, kind, ref)
);

CREATE TABLE staff (
    merchant      TEXT COLLATE "C" NOT NULL,
    id            TEXT COLLATE "C" NOT NULL,
    email         TEXT COLLATE "C" NOT NULL,
    password_hash TEXT COLLATE "C" NOT NULL,
    created_at    BIGINT           NOT NULL,
    PRIMARY KEY (merchant, id)
);

CREATE TABLE session (
    token  TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    data   BYTEA            NOT NULL,
    expiry BIGINT           NOT NULL
);
CREATE INDEX session_expiry ON session (expiry);

CREATE TABLE calendar_override (
    date   TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    closed BIGINT           NOT NULL,
    reason TEXT COLLATE "C" NOT NULL,
    at     BIGINT           NOT NULL
);

CREATE TABLE audit (
    merchant TEXT COLLATE "C" NOT NULL, -- empty for what concerns all
    id       TEXT COLLATE "C" NOT NULL,
    at       BIGINT           NOT NULL,
    actor    TEXT COLLATE "C" NOT NULL,
    action   TEXT COLLATE "C" NOT NULL,
    subject  TEXT COLLATE "C" NOT NULL,
    detail   TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (merchant, id)
);

-- The memory of the simulated bank and carrier; sandbox merchants only.
CREATE TABLE sandbox_record (
    merchant TEXT COLLATE "C" NOT NULL,
    kind     TEXT COLLATE "C" NOT NULL,
    key      TEXT COLLATE "C" NOT NULL,
    doc      TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (merchant, kind, key)
);

-- +goose Down
SELECT 'the ground is not taken away';

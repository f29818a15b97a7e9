-- +goose Up
-- Requests that carry an idempotency key: who carries each out, what it has done,
-- and what was answered. Kept for hours.
CREATE TABLE keyed_request (
    merchant     TEXT COLLATE "C" NOT NULL, -- empty for the operator's
    key          TEXT COLLATE "C" NOT NULL, -- hash of the key
    print        TEXT COLLATE "C" NOT NULL, -- hash of what was asked for
    run          TEXT COLLATE "C" NOT NULL, -- the execution; what acts proves that it is still its own
    holder       BIGINT           NOT NULL, -- the process of the execution; 0 for none
    leased_until BIGINT           NOT NULL, -- the machine's clock
    acts         BIGINT           NOT NULL, -- in how many transactions it has acted
    doc          BYTEA            NOT NULL, -- what came of them, sealed
    status       BIGINT           NOT NULL, -- of the answer; 0 while there is none
    answer       BYTEA            NOT NULL, -- sealed
    created_at   BIGINT           NOT NULL, -- the machine's clock
    PRIMARY KEY (merchant, key)
);
CREATE INDEX keyed_request_created ON keyed_request (created_at);

-- +goose Down
SELECT 'the ground is not taken away';

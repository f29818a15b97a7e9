-- +goose Up
-- Requests that carry an idempotency key: who carries each out, what it has done,
-- and what was answered. Kept for hours.
CREATE TABLE keyed_request (
    merchant     TEXT    NOT NULL, -- empty for the operator's
    key          TEXT    NOT NULL, -- hash of the key
    print        TEXT    NOT NULL, -- hash of what was asked for
    run          TEXT    NOT NULL, -- the execution; what acts proves that it is still its own
    holder       INTEGER NOT NULL, -- the process of the execution; 0 for none
    leased_until INTEGER NOT NULL, -- the machine's clock
    acts         INTEGER NOT NULL, -- in how many transactions it has acted
    doc          BLOB    NOT NULL, -- what came of them, sealed
    status       INTEGER NOT NULL, -- of the answer; 0 while there is none
    answer       BLOB    NOT NULL, -- sealed
    created_at   INTEGER NOT NULL, -- the machine's clock
    PRIMARY KEY (merchant, key)
) STRICT;
CREATE INDEX keyed_request_created ON keyed_request (created_at);

-- +goose Down
SELECT 'the ground is not taken away';

-- +goose Up
-- Calls queue in lanes: one for each endpoint of a merchant. Calls that are older are the setting's.
ALTER TABLE webhook ADD COLUMN endpoint TEXT COLLATE "C" NOT NULL DEFAULT 'v1';
DROP INDEX webhook_due;
CREATE INDEX webhook_lane ON webhook (merchant, endpoint, due_at) WHERE state = 'pending';
CREATE INDEX webhook_failed ON webhook (merchant, created_at) WHERE state = 'failed';

-- Endpoints that fail, and until when they are left alone. One that takes what it is told has no row.
CREATE TABLE endpoint_health (
    merchant   TEXT COLLATE "C" NOT NULL,
    endpoint   TEXT COLLATE "C" NOT NULL,
    failures   BIGINT NOT NULL, -- in a row
    since      BIGINT NOT NULL, -- the first of them, by the merchant's clock
    rest_until BIGINT NOT NULL, -- the machine's clock
    PRIMARY KEY (merchant, endpoint)
);

-- +goose Down
SELECT 'the ground is not taken away';

-- +goose Up
-- What all nodes agree on: the revision of the calendar's overrides, and the
-- fingerprint of the secret from which tokens and links are derived.
CREATE TABLE agreement (
    name     TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    revision BIGINT           NOT NULL,
    value    TEXT COLLATE "C" NOT NULL
);
INSERT INTO agreement (name, revision, value) VALUES ('calendar', 0, '');

-- What one node at a time does; merchant is empty for what concerns all.
CREATE TABLE lease (
    merchant   TEXT COLLATE "C" NOT NULL,
    name       TEXT COLLATE "C" NOT NULL,
    holder     TEXT COLLATE "C" NOT NULL,
    expires_at BIGINT           NOT NULL, -- the machine's clock
    PRIMARY KEY (merchant, name)
);

-- +goose Down
SELECT 'the ground is not taken away';

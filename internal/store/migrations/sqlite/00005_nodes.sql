-- +goose Up
-- What all nodes agree on: the revision of the calendar's overrides, and the
-- fingerprint of the secret from which tokens and links are derived.
CREATE TABLE agreement (
    name     TEXT    NOT NULL PRIMARY KEY,
    revision INTEGER NOT NULL,
    value    TEXT    NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO agreement (name, revision, value) VALUES ('calendar', 0, '');

-- What one node at a time does; merchant is empty for what concerns all.
CREATE TABLE lease (
    merchant   TEXT    NOT NULL,
    name       TEXT    NOT NULL,
    holder     TEXT    NOT NULL,
    expires_at INTEGER NOT NULL, -- the machine's clock
    PRIMARY KEY (merchant, name)
) STRICT, WITHOUT ROWID;

-- +goose Down
SELECT 'the ground is not taken away';

-- +goose Up
-- The secrets of the V2 dialect and of Holdfast's own API for shops; the directory finds one by its hash.
CREATE TABLE api_secret (
    merchant   TEXT    NOT NULL,
    id         TEXT    NOT NULL,
    hash       TEXT    NOT NULL,
    created_at INTEGER NOT NULL,
    revoked_at INTEGER,
    PRIMARY KEY (merchant, id)
) STRICT, WITHOUT ROWID;

-- The one refresh token of a secret that is good: tokens are derived from these facts.
CREATE TABLE api_login (
    merchant   TEXT    NOT NULL,
    secret     TEXT    NOT NULL,
    serial     INTEGER NOT NULL, -- rises with every login and refresh
    expires_at INTEGER NOT NULL,
    PRIMARY KEY (merchant, secret)
) STRICT, WITHOUT ROWID;

-- +goose Down
DROP TABLE api_login;
DROP TABLE api_secret;

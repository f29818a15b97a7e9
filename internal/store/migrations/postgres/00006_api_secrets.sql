-- +goose Up
-- The secrets of the V2 dialect and of Holdfast's own API for shops; the directory finds one by its hash.
CREATE TABLE api_secret (
    merchant   TEXT COLLATE "C" NOT NULL,
    id         TEXT COLLATE "C" NOT NULL,
    hash       TEXT COLLATE "C" NOT NULL,
    created_at BIGINT           NOT NULL,
    revoked_at BIGINT,
    PRIMARY KEY (merchant, id)
);

-- The one refresh token of a secret that is good: tokens are derived from these facts.
CREATE TABLE api_login (
    merchant   TEXT COLLATE "C" NOT NULL,
    secret     TEXT COLLATE "C" NOT NULL,
    serial     BIGINT           NOT NULL, -- rises with every login and refresh
    expires_at BIGINT           NOT NULL,
    PRIMARY KEY (merchant, secret)
);

-- +goose Down
DROP TABLE api_login;
DROP TABLE api_secret;

-- +goose Up
-- The end of each merchant's log of events. Whoever writes events takes the row
-- last in a transaction and hands out positions from it: the lock is held until
-- the commit, so that positions stand in the order of commits and have no gaps.
CREATE TABLE event_log (
    merchant      TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    last_position BIGINT           NOT NULL
) WITH (fillfactor = 50);
INSERT INTO event_log (merchant, last_position) SELECT merchant, max(position) FROM event GROUP BY merchant;

-- One row per connection that writes, with the number of its last transaction.
-- It tells whether a commit happened whose answer was lost. PostgreSQL only.
CREATE TABLE commit_mark (
    writer TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    n      BIGINT           NOT NULL,
    at     TIMESTAMPTZ      NOT NULL DEFAULT now()
) WITH (fillfactor = 50);

-- +goose Down
SELECT 'the ground is not taken away';

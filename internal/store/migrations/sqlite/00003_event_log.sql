-- +goose Up
-- The end of each merchant's log of events. Whoever writes events takes the row
-- last in a transaction and hands out positions from it.
CREATE TABLE event_log (
    merchant      TEXT    NOT NULL PRIMARY KEY,
    last_position INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO event_log (merchant, last_position) SELECT merchant, max(position) FROM event GROUP BY merchant;

-- +goose Down
SELECT 'the ground is not taken away';

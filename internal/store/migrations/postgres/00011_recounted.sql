-- +goose Up
-- The change of the calendar up to which all pending deadlines have been counted anew.
INSERT INTO agreement (name, revision, value) SELECT 'recounted', revision, '' FROM agreement WHERE name = 'calendar';

-- +goose Down
DELETE FROM agreement WHERE name = 'recounted';

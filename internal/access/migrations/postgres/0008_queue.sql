-- +goose Up
-- Which privacy officer a review waits for; empty while nobody could be found. Times are microseconds since 1970; 0: not yet.
ALTER TABLE access_review ADD COLUMN owner TEXT NOT NULL DEFAULT '';
ALTER TABLE access_review ADD COLUMN given BIGINT NOT NULL DEFAULT 0;
ALTER TABLE access_review ADD COLUMN due BIGINT NOT NULL DEFAULT 0;
-- +goose Down
ALTER TABLE access_review DROP COLUMN owner;
ALTER TABLE access_review DROP COLUMN given;
ALTER TABLE access_review DROP COLUMN due;

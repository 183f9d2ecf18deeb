-- +goose Up
-- Several nodes write a log each: how far access_review has seen each of them, as audit.Cursor writes it.
CREATE TABLE access_seen (place TEXT NOT NULL);
INSERT INTO access_seen (place) VALUES ('');
DROP TABLE access_cursor;
-- +goose Down
CREATE TABLE access_cursor (at BIGINT NOT NULL);
INSERT INTO access_cursor (at) VALUES (-1);
DROP TABLE access_seen;

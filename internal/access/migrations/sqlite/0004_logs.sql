-- +goose Up
-- Several nodes write a log each: how far access_review has seen each of them, as audit.Cursor writes it.
CREATE TABLE access_seen (place TEXT NOT NULL) STRICT;
INSERT INTO access_seen (place) SELECT CASE WHEN at < 0 THEN '' ELSE
  coalesce((WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < (at >> 40))
    SELECT group_concat(i || ':549755813887', ' ') FROM n WHERE i < (at >> 40)) || ' ', '')
  || (at >> 40) || ':' || ((at & 1099511627775) + 1) END FROM access_cursor;
DROP TABLE access_cursor;
-- +goose Down
CREATE TABLE access_cursor (at INTEGER NOT NULL) STRICT;
INSERT INTO access_cursor (at) VALUES (-1);
DROP TABLE access_seen;

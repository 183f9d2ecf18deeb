-- +goose Up
-- A downtime of the whole site that two people declared. Rows are never deleted: ended and until end one, its history stays. The row's tag is
-- over every other column but id and drawn: docs/formats/row-tags.md.
CREATE TABLE access_downtime (
  id       INTEGER PRIMARY KEY,
  item     TEXT    NOT NULL UNIQUE, -- the request that two people wanted
  asked    TEXT    NOT NULL,        -- id of who declared it
  agreed   TEXT    NOT NULL,        -- id of the second person
  since    INTEGER NOT NULL,        -- microseconds since 1970
  until    INTEGER NOT NULL,
  entry    TEXT    NOT NULL,        -- origin/index of its audit entry
  ended    INTEGER,
  ended_by TEXT    NOT NULL,        -- id of a person; '' when nobody ended it
  mac      BLOB    NOT NULL,
  drawn    INTEGER NOT NULL DEFAULT 0 -- when the openings to look at were drawn; 0: not yet
) STRICT;
CREATE INDEX access_downtime_live ON access_downtime (until);
-- +goose Down
DROP TABLE access_downtime;

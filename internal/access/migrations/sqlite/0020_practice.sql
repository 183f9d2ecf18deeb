-- +goose Up
-- That this site is a practice, and who looks at its only officer from outside (docs/adr/0204, 0205). Rows are never deleted: ended ends
-- one, its history stays, and the newest that runs counts. The row's tag is over every other column but id: docs/formats/row-tags.md.
CREATE TABLE access_practice (
  id       INTEGER PRIMARY KEY,
  item     TEXT    NOT NULL UNIQUE, -- the request that two people wanted; init for what was said when the installation was made
  asked    TEXT    NOT NULL,        -- id of who declared it; '' for the command line
  agreed   TEXT    NOT NULL,        -- id of the second person; '' for init
  since    INTEGER NOT NULL,        -- microseconds since 1970
  reviewer TEXT    NOT NULL,        -- id of the outside reviewer; '' for none
  entry    TEXT    NOT NULL,        -- origin/index of its audit entry
  ended    INTEGER,
  ended_by TEXT    NOT NULL,        -- id of a person; '' for nobody, for the command line, and for the row that came after it
  mac      BLOB    NOT NULL
) STRICT;
-- +goose Down
DROP TABLE access_practice;

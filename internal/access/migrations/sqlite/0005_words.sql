-- +goose Up
-- What one person gives another by saying so: a colleague asked in, a cover, an order taken, a request approved. Rows are never deleted:
-- ended and until end a word, its history stays. The row's tag is over every other column but id: docs/formats/row-tags.md.
CREATE TABLE access_word (
  id       INTEGER PRIMARY KEY,
  kind     TEXT    NOT NULL, -- asked | taken | cover | grant
  person   TEXT    NOT NULL, -- who may more by it
  patient  INTEGER NOT NULL, -- 0: of a cover
  whom     TEXT    NOT NULL, -- of a cover: who is covered; else ''
  said_by  TEXT    NOT NULL, -- whose word it is
  parts    TEXT    NOT NULL, -- of a grant: field groups, by spaces; else ''
  since    INTEGER NOT NULL, -- microseconds since 1970
  until    INTEGER NOT NULL,
  known    INTEGER NOT NULL,
  entry    TEXT    NOT NULL, -- origin/index of its audit entry
  ended    INTEGER,
  ended_by TEXT    NOT NULL, -- id of a person; '' when nobody ended it, or it ended with somebody's access
  mac      BLOB    NOT NULL
);
CREATE INDEX access_word_live ON access_word (person, until);
CREATE INDEX access_word_whom ON access_word (whom, until);
CREATE INDEX access_word_by ON access_word (said_by, until);
CREATE INDEX access_word_about ON access_word (patient, until);
-- +goose Down
DROP TABLE access_word;

-- +goose Up
-- Who completed which version of a module when. A row keeps a person's charts open, so it is tagged. Times are microseconds since 1970.
CREATE TABLE training_done (
  person  TEXT NOT NULL,
  module  TEXT NOT NULL,
  version TEXT NOT NULL, -- hash of the text that was signed
  at      INTEGER NOT NULL,
  entry   TEXT NOT NULL, -- origin/index of its audit entry
  mac     BLOB NOT NULL,
  PRIMARY KEY (person, module, at)
) STRICT;
-- Which lesson of a minute was shown to whom: once.
CREATE TABLE training_lesson (
  person TEXT NOT NULL,
  lesson TEXT NOT NULL,
  at     INTEGER NOT NULL,
  PRIMARY KEY (person, lesson)
) STRICT;
-- +goose Down
DROP TABLE training_lesson;
DROP TABLE training_done;

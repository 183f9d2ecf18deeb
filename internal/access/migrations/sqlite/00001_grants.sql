-- +goose Up
-- A grant is what breaking the glass gives: one person, one patient, reading, until a time. Rows are never deleted: given_back and
-- until end a grant, its history stays. The reason's text lives only in the audit entry, sealed.
CREATE TABLE access_grant (
  id         INTEGER PRIMARY KEY,
  person     TEXT    NOT NULL,
  patient    INTEGER NOT NULL,
  code       TEXT    NOT NULL,
  opened     INTEGER NOT NULL, -- microseconds since 1970
  until      INTEGER NOT NULL,
  epoch      INTEGER NOT NULL, -- the person's epoch: a kill ends the grant with everything else
  entry      TEXT    NOT NULL, -- origin/index of its audit entry
  given_back INTEGER
) STRICT;
CREATE INDEX access_grant_live ON access_grant (person, patient, until);

-- What the privacy office looks at: one row for each person, patient and day with accesses that nothing explains or that a grant opened.
-- Written by a follower of the log, rebuildable from it.
CREATE TABLE access_review (
  id        INTEGER PRIMARY KEY,
  kind      TEXT    NOT NULL,  -- glass | unexplained | refused
  person    TEXT    NOT NULL,
  patient   INTEGER NOT NULL,
  day       INTEGER NOT NULL,  -- days since 1970 in the site's zone
  first_at  INTEGER NOT NULL,
  last_at   INTEGER NOT NULL,
  entries   INTEGER NOT NULL,
  first_idx INTEGER NOT NULL,
  last_idx  INTEGER NOT NULL,
  verdict   TEXT,              -- explained | ask | escalate; NULL: open
  reviewer  TEXT,
  reviewed  INTEGER,
  UNIQUE (kind, person, patient, day)
) STRICT;
CREATE TABLE access_cursor (at INTEGER NOT NULL) STRICT; -- the last entry of the log that access_review has seen
INSERT INTO access_cursor (at) VALUES (-1);
CREATE INDEX access_review_open ON access_review (verdict, last_at);
-- +goose Down
DROP TABLE access_cursor;
DROP TABLE access_review;
DROP TABLE access_grant;

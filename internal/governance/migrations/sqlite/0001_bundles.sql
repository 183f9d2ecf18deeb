-- +goose Up
-- Every bundle that was ever proposed to a second person or enforced, by the hash of its content. Rows are never changed or deleted:
-- each decision of the log names one of them.
CREATE TABLE policy_bundle (
  hash   TEXT PRIMARY KEY,
  body   BLOB NOT NULL,  -- JSON: text by file name
  added  INTEGER NOT NULL,   -- microseconds since 1970
  author TEXT NOT NULL,   -- id of a person; empty: shipped with the program, or the command line
  mac    BLOB NOT NULL   -- the row's tag: docs/formats/row-tags.md
);

-- Which bundle decides from when on. The newest row whose time has come counts; rows are only added.
CREATE TABLE policy_enforced (
  number integer primary key autoincrement,
  hash   TEXT NOT NULL,
  since  INTEGER NOT NULL,
  origin TEXT NOT NULL,   -- shipped: the program brought it, and the house has decided nothing; house: two people wanted it
  item   TEXT NOT NULL,   -- of the act of those two
  asked  TEXT NOT NULL,
  agreed TEXT NOT NULL,
  entry  TEXT NOT NULL,   -- of the log
  mac    BLOB NOT NULL
);

-- Work on the next bundle: its text as it stands, what a replay said, and what somebody answered.
CREATE TABLE policy_proposal (
  id      TEXT PRIMARY KEY,
  author  TEXT NOT NULL,
  base    TEXT NOT NULL,  -- hash of the bundle that it began with
  state   TEXT NOT NULL,  -- draft, waiting; what became of a waiting one is told by its item
  item    TEXT NOT NULL,
  made    INTEGER NOT NULL,
  changed INTEGER NOT NULL,
  body    BLOB NOT NULL, -- JSON: text by file name
  rest    BLOB NOT NULL, -- JSON: note, replay, answers
  mac     BLOB NOT NULL
);
-- +goose Down
DROP TABLE policy_proposal;
DROP TABLE policy_enforced;
DROP TABLE policy_bundle;

-- +goose Up
-- Which candidate decides beside the rules in force, on every node, until it is ended; only the newest row counts.
CREATE TABLE policy_beside (
  number integer primary key autoincrement,
  hash   TEXT NOT NULL,
  since  INTEGER NOT NULL,  -- microseconds since 1970
  ended  INTEGER NOT NULL,  -- 0: it goes on
  asked  TEXT NOT NULL,     -- id of a person; empty: the command line
  mac    BLOB NOT NULL      -- the row's tag: docs/formats/row-tags.md
);

-- What it found on each node.
CREATE TABLE policy_tally (
  beside INTEGER NOT NULL,
  node   TEXT NOT NULL,     -- origin of its log
  at     INTEGER NOT NULL,
  body   BLOB NOT NULL,     -- JSON: counts, differences by person, act and rule
  mac    BLOB NOT NULL,
  PRIMARY KEY (beside, node)
);
-- +goose Down
DROP TABLE policy_tally;
DROP TABLE policy_beside;

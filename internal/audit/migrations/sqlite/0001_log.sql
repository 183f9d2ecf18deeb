-- +goose Up

-- Ids are positions: the number of the log (0, and one more after each cut) in the high bits, then the index inside the log.
-- With integers as keys and rows that only ever go to the end, a commit touches few pages.

create table log (
    number       integer primary key,      -- 0, 1, ...: a new one opens when the old one was cut
    origin       text    not null unique,
    verifier     text    not null,         -- public key as a C2SP verifier text
    opened       integer not null,         -- unix microseconds
    evidence     text    not null default '', -- of the cut that opened this log: the heads that disagree
    acknowledged integer                   -- position of the entry by which a person acknowledged the cut
);

create table entry (
    at    integer primary key,             -- number << 40 | index
    bytes blob not null                    -- docs/formats/audit-entry.md; append only
);

create table payload (
    id     integer primary key,            -- at << 12 | part; part 0 is common to all patients
    sealed blob not null                   -- envelope of salt and part; exactly 32 bytes: the part's commitment after a redaction
);

create table tile (
    id   integer primary key,              -- number << 44 | level << 40 | n
    data blob not null                     -- 256 hashes; only full tiles
);

create table head (
    at   integer primary key,              -- number << 40 | size
    note text not null                     -- signed checkpoint; of each minute the last is kept
);

create table journal (
    id       text primary key,             -- of an emergency journal that was prepared
    prepared integer not null,             -- position of the entry that says so
    merged   integer                       -- how many of its entries were merged; null while it is in use
);

-- Followers write what lies below, in transactions of their own; all of it can be rebuilt from the log.

create table follower (
    name   text primary key,
    cursor integer not null                -- position of the next entry to be seen
);

create table lookup (
    kind  integer not null,                -- 1 patient, 2 agent
    owner integer not null,
    at    integer not null,
    part  integer not null,                -- of the payload; 0 for agents
    primary key (kind, owner, at)
) without rowid;

create table chain (
    number integer not null,
    kind   integer not null,
    owner  integer not null,
    at     integer not null,               -- before this position ...
    n      integer not null,               -- ... this owner has so many entries in this log; those after it are counted in lookup
    primary key (number, kind, owner)
) without rowid;

create table intent (
    at integer primary key                 -- intents of writes that have no outcome yet
);

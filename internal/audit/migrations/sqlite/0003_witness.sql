-- +goose Up

-- What outsiders say of the logs. Nothing here is believed: signatures are, by whoever has the keys of log and witness from elsewhere.

create table cosigned (
    at   integer primary key,              -- number << 40 | size
    note text    not null,                 -- signed checkpoint with signatures of witnesses; of each hour and each witness the newest is kept
    seen integer not null                  -- unix microseconds, by the clock here
);

create table witness (
    name     text primary key,
    url      text not null,                -- where it was asked last
    verifier text not null                 -- its key as a C2SP verifier text
) without rowid;

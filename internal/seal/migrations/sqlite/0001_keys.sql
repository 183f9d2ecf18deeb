-- +goose Up
create table keyring (
    one          integer primary key check (one = 1),
    installation blob    not null, -- 16 random bytes, in every envelope's associated data
    custodian    text    not null, -- id of the custodian that wraps the root
    sandbox      integer not null, -- bound into the wrapping: flipping it here makes the root unreadable
    root         blob    not null,
    created      integer not null  -- unix microseconds
);
create table data_key (
    id      integer primary key autoincrement, -- named by envelopes, never reused
    family  text    not null,
    owner   integer not null,                  -- a patient number, a month, ...: what the importer says
    kind    text    not null,
    wrapped blob,                              -- null: shredded
    unique (family, owner, kind)
);

-- +goose Up

-- What each table holds and why: the file of the same number for SQLite.

create table log (
    number       bigint primary key,
    origin       text   not null unique,
    verifier     text   not null,
    opened       bigint not null,
    evidence     text   not null default '',
    acknowledged bigint
);

create table entry (
    at    bigint primary key,
    bytes bytea not null
);

create table payload (
    id     bigint primary key,
    sealed bytea not null
);

create table tile (
    id   bigint primary key,
    data bytea not null
);

create table head (
    at   bigint primary key,
    note text not null
);

create table journal (
    id       text primary key,
    prepared bigint not null,
    merged   bigint
);

create table lookup (
    kind  bigint not null,
    owner bigint not null,
    at    bigint not null,
    part  bigint not null,
    primary key (kind, owner, at)
);

create table chain (
    number bigint not null,
    kind   bigint not null,
    owner  bigint not null,
    at     bigint not null,
    n      bigint not null,
    primary key (number, kind, owner)
);

create table intent (
    at bigint primary key
);

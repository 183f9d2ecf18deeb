-- +goose Up

-- What each table holds and why: the file of the same number for SQLite.

create table cosigned (
    at   bigint primary key,
    note text   not null,
    seen bigint not null
);

create table witness (
    name     text primary key,
    url      text not null,
    verifier text not null
);

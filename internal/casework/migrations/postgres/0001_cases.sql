-- +goose Up
-- One row is one case. Who, what and about whom is sealed; person and name are keyed. Times are Unix microseconds.
create table casework_case (
    number   bigint primary key,
    person   bytea   not null, -- keyed name of whose acts it is about
    name     bytea   not null, -- keyed name of the person and the hypothesis
    open     bigint not null, -- 1 until it is closed
    revision bigint not null,
    changed  bigint not null, -- grows by one with each change of any case
    sealed   bytea   not null
);
create unique index casework_case_open on casework_case(name) where open = 1;
create index casework_case_name on casework_case(name);
create index casework_case_person on casework_case(person);
create index casework_case_changed on casework_case(changed);
-- How far the log was judged: the place of the follower, written with the cases that came of it.
create table casework_cursor (
    name text primary key,
    at   text not null
);

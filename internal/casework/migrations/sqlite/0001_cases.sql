-- +goose Up
-- One row is one case. Who, what and about whom is sealed; person and name are keyed. Times are Unix microseconds.
create table casework_case (
    number   integer primary key,
    person   blob    not null, -- keyed name of whose acts it is about
    name     blob    not null, -- keyed name of the person and the hypothesis
    open     integer not null, -- 1 until it is closed
    revision integer not null,
    changed  integer not null, -- grows by one with each change of any case
    sealed   blob    not null
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

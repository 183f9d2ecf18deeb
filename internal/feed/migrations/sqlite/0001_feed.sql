-- +goose Up
-- One row is one file of another system's log, by what is in it. All of it is sealed: what it is called, how it is written, how far it was taken.
create table feed_file (
    number   integer primary key,
    revision integer not null,
    sealed   blob    not null
);
-- One row is a run of whole lines of a file, in the order in which they were taken. Times are Unix microseconds.
create table feed_piece (
    number integer primary key,
    file   integer not null, -- number of its file
    came   integer not null,
    sealed blob    not null
);
create index feed_piece_came on feed_piece(came);

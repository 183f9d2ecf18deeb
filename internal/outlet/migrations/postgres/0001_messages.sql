-- +goose Up
-- What is to leave: one row for each alert and way out. A row names a case by its number and nothing else.
create table outlet_message (
    number   bigint primary key,
    way      text    not null, -- webhook or mail
    about    text    not null, -- number of a case
    change   bigint not null, -- by which it became an alert
    attempts bigint not null,
    due      bigint not null  -- Unix microseconds
);
create unique index outlet_message_once on outlet_message(way, about, change);
create index outlet_message_due on outlet_message(due);
-- How far the changes of cases were looked at.
create table outlet_cursor (
    name text primary key,
    at   bigint not null
);

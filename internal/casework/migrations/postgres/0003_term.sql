-- +goose Up
-- Which process judges. Whoever takes over makes the epoch one higher, and what the earlier one still writes fails.
create table casework_term (
    name  text primary key,
    epoch bigint not null,
    beat  bigint not null -- grows while its holder lives; -1: it left
);

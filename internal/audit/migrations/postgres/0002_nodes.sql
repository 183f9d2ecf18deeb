-- +goose Up

alter table log add column node text not null default 'main';
alter table log add column bound bytea;

create table lease (
    number bigint primary key,
    epoch  bigint not null
);

create table cursor (
    name   text   not null,
    number bigint not null,
    at     bigint not null,
    primary key (name, number)
);

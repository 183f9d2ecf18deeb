-- +goose Up
create table criteria ( -- conditions that writes were decided by: the key makes two such decisions exclude each other, on any node
    name bytea  primary key, -- keyed: a condition may hold a record number or a person's name
    tx   bigint not null     -- the newest transaction that was decided by it
);
-- +goose Down
drop table criteria;

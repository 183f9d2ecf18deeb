-- +goose Up
create table criteria ( -- conditions that writes were decided by: the key makes two such decisions exclude each other, on any node
    name blob primary key, -- keyed: a condition may hold a record number or a person's name
    tx   integer not null  -- the newest transaction that was decided by it
) without rowid;
-- +goose Down
drop table criteria;

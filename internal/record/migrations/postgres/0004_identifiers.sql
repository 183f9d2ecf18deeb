-- +goose Up
create table identifier ( -- by which identifiers Patients, staff and system data can be found: keyed names, for conditional references
    name bytea  not null,
    rec  bigint not null,
    primary key (name, rec)
);
create index identifier_of on identifier(rec);
create table awaited ( -- resources with a reference by identifier whose target has not come, under the names of identifier
    name bytea  not null,
    rec  bigint not null,
    primary key (name, rec)
);
create index awaited_of on awaited(rec);
create table identified (done bigint not null); -- one row once identifier holds what was stored before it was made

-- +goose Up
create table kind ( -- numbers of resource types, allotted on first use
    kind integer primary key,
    name text not null unique
);
create table resource ( -- the current version of each resource; a chart lies together by the index below
    rec     integer primary key,
    patient integer not null, -- 0: staff and system data
    kind    integer not null,
    vid     integer not null,
    tx      integer not null, -- the transaction that wrote this version
    at      integer,          -- main clinical date, unix microseconds, where the type has one
    updated integer not null, -- when this server came to know it, unix microseconds
    op      integer not null, -- 1 create, 2 update, 3 delete
    shared  integer not null, -- 1: the table also names further patients
    body    blob    not null  -- sealed
);
create index resource_chart on resource(patient, kind, at);
create table version ( -- superseded versions; never overwritten
    rec     integer not null,
    vid     integer not null,
    patient integer not null,
    kind    integer not null,
    tx      integer not null,
    until   integer not null, -- the transaction that superseded it
    at      integer,
    updated integer not null,
    op      integer not null,
    shared  integer not null,
    body    blob    not null
);
create unique index version_of on version(rec, vid);
create table tx ( -- the change feed
    tx    integer primary key autoincrement,
    time  integer not null, -- unix microseconds
    recs  blob    not null, -- varints of the records touched
    entry text    not null  -- the audit entry of the intent, origin/index
);
create table alias ( -- names that clients chose, keyed: a name may hold a record number or a person's name
    name blob primary key,
    rec  integer not null
) without rowid;
create table also ( -- further patients in whose compartments a resource is
    patient integer not null,
    rec     integer not null,
    primary key (patient, rec)
) without rowid;
create index also_of on also(rec);
create table patient ( -- compartments, by the record of their Patient
    patient integer primary key
);

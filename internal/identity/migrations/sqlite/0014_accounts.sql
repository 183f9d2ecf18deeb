-- +goose Up
-- How other systems know people: a directory that keeps them by SCIM, or the HR file. Everything but ids is sealed, for its place and revision.
create table identity_account (
  source   text    not null,                 -- id of a program, or hr:
  person   integer not null references identity_person,
  tag      blob not null,                 -- keyed name of the source's own key of the person
  revision integer not null,
  sealed   blob not null,
  primary key (source, person),
  unique (source, tag)
) strict, without rowid;

create table identity_group (
  source   text    not null,
  id       text    not null,
  revision integer not null,
  sealed   blob not null,
  primary key (source, id)
) strict, without rowid;

-- +goose Down
drop table identity_group;
drop table identity_account;

-- +goose Up
-- How other systems know people: a directory that keeps them by SCIM, or the HR file. Everything but ids is sealed, for its place and revision.
create table identity_account (
  source   text    not null,                 -- id of a program, or hr:
  person   bigint not null references identity_person,
  tag      bytea not null,                 -- keyed name of the source's own key of the person
  revision bigint not null,
  sealed   bytea not null,
  primary key (source, person),
  unique (source, tag)
);

create table identity_group (
  source   text    not null,
  id       text    not null,
  revision bigint not null,
  sealed   bytea not null,
  primary key (source, id)
);

-- +goose Down
drop table identity_group;
drop table identity_account;

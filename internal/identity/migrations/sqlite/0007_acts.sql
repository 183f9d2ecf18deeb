-- +goose Up
-- An item may be about no person: an act that another package carries out. What it is about then stands in its sealed part.
create table identity_item (
  id         text    primary key,
  kind       text    not null,               -- create, change, reset, client, or the kind of an act
  person     integer references identity_person, -- null: about no row of a person
  revision   integer not null,
  asked_by   text    not null,               -- id of a person; empty: the command line
  asked_at   integer not null,
  expires_at integer not null,
  state      text    not null,               -- open, approved, refused, withdrawn; of an act also done
  decided_by text    not null default '',
  decided_at integer not null default 0,
  sealed     blob    not null,
  mac        blob    not null default x''
) strict, without rowid;
insert into identity_item select id, kind, person, revision, asked_by, asked_at, expires_at, state, decided_by, decided_at, sealed, mac from identity_pending;
drop table identity_pending;
alter table identity_item rename to identity_pending;
create index identity_pending_person on identity_pending(person);
create index identity_pending_state on identity_pending(state, expires_at);

-- +goose Down
delete from identity_pending where person is null;
drop index identity_pending_state;

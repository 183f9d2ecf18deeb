-- +goose Up
-- What happens to a person at a set moment: leave, change, suspend. Sealed for person, kind and moment.
create table identity_schedule (
  person  integer not null references identity_person,
  kind    text    not null,
  at      integer not null,
  claimed integer not null default 0,         -- until then another process carries it out
  sealed  blob not null,
  primary key (person, kind)
) strict, without rowid;
create index identity_schedule_at on identity_schedule(at);

-- +goose Down
drop table identity_schedule;

-- +goose Up
-- What happens to a person at a set moment: leave, change, suspend. Sealed for person, kind and moment.
create table identity_schedule (
  person  bigint not null references identity_person,
  kind    text    not null,
  at      bigint not null,
  claimed bigint not null default 0,         -- until then another process carries it out
  sealed  bytea not null,
  primary key (person, kind)
);
create index identity_schedule_at on identity_schedule(at);

-- +goose Down
drop table identity_schedule;

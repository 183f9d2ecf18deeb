-- +goose Up
-- Recovery codes, and what a person is told about the own sign-in until it was seen.
create table identity_recovery (
  id      text    primary key,               -- what entries call it
  person  integer not null references identity_person,
  code    blob    not null unique,           -- keyed name of person and code
  made_at integer not null,
  used_at integer not null default 0,
  mac     blob    not null
) strict, without rowid;
create index identity_recovery_person on identity_recovery(person);

create table identity_notice (
  id      text    primary key,
  person  integer not null references identity_person,
  kind    text    not null,                  -- the act, as entries name it
  at      integer not null,
  seen_at integer not null default 0
) strict, without rowid;
create index identity_notice_person on identity_notice(person, seen_at);

-- +goose Down
drop table identity_notice;
drop table identity_recovery;

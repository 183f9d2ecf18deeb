-- +goose Up
-- Recovery codes, and what a person is told about the own sign-in until it was seen.
create table identity_recovery (
  id      text    primary key,               -- what entries call it
  person  bigint  not null references identity_person,
  code    bytea   not null unique,           -- keyed name of person and code
  made_at bigint  not null,
  used_at bigint  not null default 0,
  mac     bytea   not null
);
create index identity_recovery_person on identity_recovery(person);

create table identity_notice (
  id      text    primary key,
  person  bigint  not null references identity_person,
  kind    text    not null,                  -- the act, as entries name it
  at      bigint  not null,
  seen_at bigint  not null default 0
);
create index identity_notice_person on identity_notice(person, seen_at);

-- +goose Down
drop table identity_notice;
drop table identity_recovery;

-- +goose Up
-- Sign-in through an identity provider: which account of it is whose, what its groups give, and which sessions it vouched for.
create table identity_link (
  id      text    primary key,               -- what entries call it
  person  integer not null unique references identity_person,
  subject blob    not null unique,           -- keyed name of issuer and subject
  made_at integer not null,
  used_at integer not null,
  sealed  blob    not null,                  -- issuer, subject, and the name by which the person knows the account
  mac     blob    not null
) strict, without rowid;

create table identity_vouched (
  session text    primary key,
  person  integer not null references identity_person,
  subject blob    not null,                  -- as in identity_link
  sid     blob    not null,                  -- keyed name of the provider's own session; empty: it named none
  made_at integer not null,
  mac     blob    not null
) strict, without rowid;
create index identity_vouched_subject on identity_vouched(subject);
create index identity_vouched_sid on identity_vouched(sid);

create table identity_mapping (
  source   text    primary key,              -- of accounts; see identity_account
  revision integer not null,
  sealed   blob    not null
) strict, without rowid;

-- +goose Down
drop table identity_mapping;
drop table identity_vouched;
drop table identity_link;

-- +goose Up
-- Sign-in through an identity provider: which account of it is whose, what its groups give, and which sessions it vouched for.
create table identity_link (
  id      text    primary key,               -- what entries call it
  person  bigint not null unique references identity_person,
  subject bytea    not null unique,           -- keyed name of issuer and subject
  made_at bigint not null,
  used_at bigint not null,
  sealed  bytea    not null,                  -- issuer, subject, and the name by which the person knows the account
  mac     bytea    not null
);

create table identity_vouched (
  session text    primary key,
  person  bigint not null references identity_person,
  subject bytea    not null,                  -- as in identity_link
  sid     bytea    not null,                  -- keyed name of the provider's own session; empty: it named none
  made_at bigint not null,
  mac     bytea    not null
);
create index identity_vouched_subject on identity_vouched(subject);
create index identity_vouched_sid on identity_vouched(sid);

create table identity_mapping (
  source   text    primary key,              -- of accounts; see identity_account
  revision bigint not null,
  sealed   bytea    not null
);

-- +goose Down
drop table identity_mapping;
drop table identity_vouched;
drop table identity_link;

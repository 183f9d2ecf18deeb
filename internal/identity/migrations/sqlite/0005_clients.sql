-- +goose Up
-- Registered programs and what people let them do. Everything about a program is sealed; ids, states and times of what hangs on it are not.
create table identity_client (
  id       text    primary key,
  revision integer not null,                 -- bound into the sealed form
  sealed   blob    not null
) strict, without rowid;

create table identity_authorization (
  number     integer primary key,            -- random
  id         text    not null unique,        -- what lists and audit entries call it
  client     text    not null references identity_client,
  turn       integer not null,               -- epoch of the program: of another one the authorization is dead
  person     integer references identity_person, -- null: the program acts for itself
  epoch      integer not null,               -- of the person
  created_at integer not null,
  ends_at    integer not null,
  ended_at   integer not null default 0,
  ended_why  text    not null default '',
  sealed     blob    not null
) strict;
create index identity_authorization_client on identity_authorization(client, ended_at);
create index identity_authorization_person on identity_authorization(person, ended_at);

create table identity_token (
  token         blob    primary key,         -- SHA-256
  authorization integer not null references identity_authorization,
  kind          text    not null,            -- code, access, refresh
  expires_at    integer not null,
  used_at       integer not null default 0,
  sealed        blob    not null             -- its scopes; bound to all of the above
) strict, without rowid;
create index identity_token_authorization on identity_token(authorization);

create table identity_assertion (
  jti        blob    primary key,            -- SHA-256 of program and jti: each counts once
  expires_at integer not null
) strict, without rowid;

create table identity_signer (
  id         text    primary key,
  created_at integer not null,
  sealed     blob    not null                -- private key for identity tokens
) strict, without rowid;

-- +goose Down
drop table identity_signer;
drop table identity_assertion;
drop table identity_token;
drop table identity_authorization;
drop table identity_client;

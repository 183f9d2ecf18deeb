-- +goose Up
-- Passkeys, and the challenges that browsers were given for one of them.
create table identity_passkey (
  id         text    primary key,            -- what pages and entries call it
  person     integer not null references identity_person,
  credential blob    not null unique,        -- keyed name of the credential's id
  made_at    integer not null,
  used_at    integer not null,
  sealed     blob    not null,               -- its name and the whole credential record
  mac        blob    not null
) strict, without rowid;
create index identity_passkey_person on identity_passkey(person);

create table identity_challenge (
  challenge  blob    primary key,            -- SHA-256
  expires_at integer not null,
  sealed     blob    not null                -- what it is for, and what the answer is compared with
) strict, without rowid;

-- +goose Down
drop table identity_challenge;
drop table identity_passkey;

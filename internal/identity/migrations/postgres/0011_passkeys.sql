-- +goose Up
-- Passkeys, and the challenges that browsers were given for one of them.
create table identity_passkey (
  id         text    primary key,            -- what pages and entries call it
  person     bigint  not null references identity_person,
  credential bytea   not null unique,        -- keyed name of the credential's id
  made_at    bigint  not null,
  used_at    bigint  not null,
  sealed     bytea   not null,               -- its name and the whole credential record
  mac        bytea   not null
);
create index identity_passkey_person on identity_passkey(person);

create table identity_challenge (
  challenge  bytea   primary key,            -- SHA-256
  expires_at bigint  not null,
  sealed     bytea   not null                -- what it is for, and what the answer is compared with
);

-- +goose Down
drop table identity_challenge;
drop table identity_passkey;

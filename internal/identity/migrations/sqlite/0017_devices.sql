-- +goose Up
-- Devices of the house, the keys by which they prove themselves, and the one-time codes that register a key. Names are sealed.
create table identity_device (
  number     integer primary key,
  id         text    not null unique,
  state      text    not null,               -- registered, lost, retired
  made_at    integer not null,
  changed_at integer not null,
  sealed     blob    not null,
  mac        blob    not null
) strict;

create table identity_device_key (
  number  integer primary key,
  device  text    not null references identity_device(id),
  point   blob    not null unique,            -- P-256, uncompressed
  browser text    not null,                   -- what entries call the browser that holds it
  made_at integer not null,
  seen_at integer not null,                   -- newest proof; outside the tag
  mac     blob    not null
) strict;
create index identity_device_key_browser on identity_device_key(browser);

create table identity_device_code (
  number     integer primary key,
  code       blob    not null unique,         -- SHA-256
  device     text    not null,                -- empty: a new one
  made_at    integer not null,
  expires_at integer not null,
  used_at    integer not null,
  sealed     blob    not null,
  mac        blob    not null
) strict;
create index identity_session_device on identity_session(device);

-- +goose Down
drop index identity_session_device;
drop table identity_device_code;
drop table identity_device_key;
drop table identity_device;

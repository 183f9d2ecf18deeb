-- +goose Up
-- The key by which the machine of a device itself speaks, beside those of its browsers, and the newest of its signed reports.
create table identity_device_machine (
  number  integer primary key,
  device  text    not null unique references identity_device(id),
  point   blob    not null unique,                 -- P-256, uncompressed
  made_at integer not null,
  mac     blob    not null
) strict;

create table identity_device_posture (
  number   integer primary key,
  device   text    not null unique references identity_device(id),
  asked_at integer not null,                        -- of the nonce that the report answers: an older one is a replay
  came_at  integer not null,
  sealed   blob    not null,                        -- the report and its signature
  mac      blob    not null
) strict;

-- +goose Down
drop table identity_device_posture;
drop table identity_device_machine;

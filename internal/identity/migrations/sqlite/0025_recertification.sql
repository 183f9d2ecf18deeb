-- +goose Up
-- Recertifications, and each role, clearance and standing word that one of them asks about. Rows are never deleted: a verification counts them.
create table identity_recertification (
  number     integer primary key,
  id         text    not null unique,
  started_by text    not null,               -- id of a person; '' for the command line
  owners     text    not null,               -- ids of who answers where no manager can, in order
  started_at integer not null,
  due_at     integer not null,
  holdings   integer not null,               -- how many rows of identity_holding belong to it
  claimed    integer not null default 0,     -- until then another process carries out what lapsed; outside the tag
  mac        blob    not null
) strict;

create table identity_holding (
  number          integer primary key,
  id              text    not null unique,
  recertification text    not null references identity_recertification(id),
  person          integer not null references identity_person,
  reviewer        text    not null,          -- id of who is asked
  answer          text    not null,          -- '', kept, taken, lapsed, moot
  answered_by     text    not null,
  answered_at     integer not null,
  sealed          blob    not null,          -- what is held, and what speaks against it
  mac             blob    not null
) strict;
create index identity_holding_open on identity_holding(reviewer) where answer='';
create index identity_holding_of on identity_holding(recertification);

-- +goose Down
drop table identity_holding;
drop table identity_recertification;

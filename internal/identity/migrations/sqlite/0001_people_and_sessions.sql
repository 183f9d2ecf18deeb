-- +goose Up
-- Times are microseconds since 1970, UTC; 0 is "never". What describes a human is sealed under the person's own data key.
create table identity_person (
  number      integer primary key,           -- random; owner of the data key
  id          text    not null unique,
  name_tag    blob    not null unique,       -- keyed name of the sign-in name
  state       text    not null,              -- pending, active, ended
  epoch       integer not null default 0,    -- a session of another epoch is dead
  revision    integer not null default 0,
  relieved_at integer not null default 0,    -- older failed attempts do not count
  created_at  integer not null,
  created_by  text    not null,              -- id of a person; empty: the command line
  sealed      blob    not null
) strict;

create table identity_credential (
  person      integer not null references identity_person,
  kind        text    not null,              -- password, totp
  enrolled_at integer not null,
  last_step   integer not null default 0,    -- totp: the newest step that was used
  sealed      blob    not null,
  primary key (person, kind)
) strict, without rowid;

create table identity_enrolment (
  token      blob    primary key,            -- SHA-256
  person     integer not null references identity_person,
  kind       text    not null,               -- first, reset
  created_at integer not null,
  expires_at integer not null,
  used_at    integer not null default 0,
  sealed     blob    not null                -- the authenticator secret that the page shows
) strict, without rowid;
create index identity_enrolment_person on identity_enrolment(person);

create table identity_pending (
  id         text    primary key,
  kind       text    not null,               -- create, change, reset
  person     integer not null references identity_person,
  revision   integer not null,               -- of the person when it was asked
  asked_by   text    not null,               -- id of a person; empty: the command line
  asked_at   integer not null,
  expires_at integer not null,
  state      text    not null,               -- open, approved, refused, withdrawn
  decided_by text    not null default '',
  decided_at integer not null default 0,
  sealed     blob    not null
) strict, without rowid;
create index identity_pending_person on identity_pending(person);

create table identity_session (
  number     integer primary key,
  token      blob    not null unique,        -- SHA-256
  id         text    not null unique,        -- what lists and audit entries call it
  person     integer not null references identity_person,
  epoch      integer not null,
  capacity   text    not null,               -- staff, patient
  device     text    not null,
  trust      text    not null,               -- managed, registered, unknown
  zone       text    not null,
  aal        integer not null,
  auth1_at   integer not null,               -- newest proof of any one factor
  auth2_at   integer not null,               -- newest proof at assurance level 2
  created_at integer not null,
  idle_at    integer not null,               -- last deliberate act; up to a minute old
  ends_at    integer not null,
  locked_at  integer not null default 0,
  ended_at   integer not null default 0,
  ended_why  text    not null default '',
  degraded   integer not null default 0,
  page       blob                            -- sealed: where the person was
) strict;
create index identity_session_person on identity_session(person, ended_at);

create table identity_draft (
  person   integer not null references identity_person,
  page     blob    not null,                 -- keyed name of capacity and page
  saved_at integer not null,
  sealed   blob    not null,
  primary key (person, page)
) strict, without rowid;

create table identity_place (
  person  integer not null references identity_person,
  place   blob    not null,                  -- keyed name of a device or network
  seen_at integer not null,
  primary key (person, place)
) strict, without rowid;

create table identity_backlog (
  number integer primary key,
  sealed blob not null                       -- an audit event that waits for the log
) strict;

-- +goose Down
drop table identity_backlog;
drop table identity_place;
drop table identity_draft;
drop table identity_session;
drop table identity_pending;
drop table identity_enrolment;
drop table identity_credential;
drop table identity_person;

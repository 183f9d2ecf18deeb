-- +goose Up
-- Who had the link to her account removed: nothing but she herself makes another one.
create table identity_unlinked (
  person  integer primary key references identity_person,
  at      integer not null
) strict;

-- A session that was confirmed or unlocked by another session of the provider hangs on both.
create table identity_vouched_both (
  session text    not null,
  person  integer not null references identity_person,
  subject blob    not null,                  -- as in identity_link
  sid     blob    not null,                  -- keyed name of the provider's own session; empty: it named none
  made_at integer not null,
  mac     blob    not null,
  primary key (session, subject, sid)
) strict, without rowid;
insert into identity_vouched_both(session, person, subject, sid, made_at, mac) select session, person, subject, sid, made_at, mac from identity_vouched;
drop table identity_vouched;
alter table identity_vouched_both rename to identity_vouched;
create index identity_vouched_subject on identity_vouched(subject);
create index identity_vouched_sid on identity_vouched(sid);

-- +goose Down
drop table identity_unlinked;

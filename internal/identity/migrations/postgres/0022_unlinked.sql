-- +goose Up
-- Who had the link to her account removed: nothing but she herself makes another one.
create table identity_unlinked (
  person  bigint primary key references identity_person,
  at      bigint not null
);

-- A session that was confirmed or unlocked by another session of the provider hangs on both.
alter table identity_vouched drop constraint identity_vouched_pkey;
alter table identity_vouched add primary key (session, subject, sid);

-- +goose Down
drop table identity_unlinked;

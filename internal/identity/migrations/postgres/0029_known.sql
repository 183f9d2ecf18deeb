-- +goose Up
-- Why somebody whom no roster knows works here all the same, until when. Sealed for person and end.
create table identity_known (
  person bigint primary key references identity_person,
  until  bigint not null,
  sealed bytea  not null
);

-- +goose Down
drop table identity_known;

-- +goose Up
-- Why somebody whom no roster knows works here all the same, until when. Sealed for person and end.
create table identity_known (
  person integer primary key references identity_person,
  until  integer not null,
  sealed blob    not null
) strict;

-- +goose Down
drop table identity_known;

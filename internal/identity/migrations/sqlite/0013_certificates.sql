-- +goose Up
-- What a termination ended, for whoever asks later. It gives no authority; the sealed form is bound to the person.
create table identity_certificate (
  person integer primary key references identity_person,
  sealed blob not null
) strict;

-- +goose Down
drop table identity_certificate;

-- +goose Up
-- What a termination ended, for whoever asks later. It gives no authority; the sealed form is bound to the person.
create table identity_certificate (
  person bigint primary key references identity_person,
  sealed bytea not null
);

-- +goose Down
drop table identity_certificate;

-- +goose Up
-- The row's tag over its other columns (docs/formats/row-tags.md says over which). Empty only in what a version before wrote.
alter table identity_person add column mac blob not null default x'';
alter table identity_credential add column mac blob not null default x'';
alter table identity_enrolment add column mac blob not null default x'';
alter table identity_pending add column mac blob not null default x'';
alter table identity_session add column mac blob not null default x'';
alter table identity_place add column mac blob not null default x'';

-- +goose Down
alter table identity_place drop column mac;
alter table identity_session drop column mac;
alter table identity_pending drop column mac;
alter table identity_enrolment drop column mac;
alter table identity_credential drop column mac;
alter table identity_person drop column mac;

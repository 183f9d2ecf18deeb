-- +goose Up
-- What the envelope of a body does not bind is bound by the row's tag (docs/formats/row-tags.md). further: varints of the further
-- patients, ascending, as the version itself has them; the table also only finds them.
alter table resource add column further bytea not null default '';
alter table resource add column mac bytea not null default '';
alter table version add column further bytea not null default '';
alter table version add column mac bytea not null default '';
alter table alias add column mac bytea not null default '';
alter table tx add column mac bytea not null default '';

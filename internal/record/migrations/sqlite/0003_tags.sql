-- +goose Up
-- What the envelope of a body does not bind is bound by the row's tag (docs/formats/row-tags.md). Empty only in what a version before
-- wrote. further: varints of the further patients, ascending, as the version itself has them; the table also only finds them.
alter table resource add column further blob not null default x'';
alter table resource add column mac blob not null default x'';
alter table version add column further blob not null default x'';
alter table version add column mac blob not null default x'';
alter table alias add column mac blob not null default x'';
alter table tx add column mac blob not null default x'';

-- +goose Up
-- 1: rows beside the records carry tags, and one without is not trusted. Bound into the wrapping like sandbox: setting it back makes
-- the root unreadable.
alter table keyring add column tagged integer not null default 0;

-- +goose Up
-- The row's tag over every other column but id: docs/formats/row-tags.md. Empty only in what a version before wrote.
alter table care_edge add column mac blob not null default x'';

-- +goose Up
-- The row's tag over every other column but id: docs/formats/row-tags.md. Empty only in what a version before wrote.
ALTER TABLE access_grant ADD COLUMN mac BLOB NOT NULL DEFAULT x'';
-- +goose Down
ALTER TABLE access_grant DROP COLUMN mac;

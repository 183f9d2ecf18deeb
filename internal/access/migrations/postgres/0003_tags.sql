-- +goose Up
-- The row's tag over every other column but id: docs/formats/row-tags.md. Empty only in what a version before wrote.
ALTER TABLE access_grant ADD COLUMN mac BYTEA NOT NULL default '';
-- +goose Down
ALTER TABLE access_grant DROP COLUMN mac;

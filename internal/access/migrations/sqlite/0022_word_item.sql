-- +goose Up
-- Which agreed request a word carries out, once, whichever node does: a second one for the same item is refused here. '' of every other word.
ALTER TABLE access_word ADD COLUMN item TEXT NOT NULL DEFAULT '';
CREATE UNIQUE INDEX access_word_item ON access_word (item) WHERE item <> '';
-- +goose Down
DROP INDEX access_word_item;
ALTER TABLE access_word DROP COLUMN item;

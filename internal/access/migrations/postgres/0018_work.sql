-- +goose Up
-- What a department opened in a week and for how much of it a reason was known at once, by person so that few people are not shown as many.
-- Written by the follower that writes access_day; a row keeps the department of then, so that nobody's move tells whose share was whose. Rows go after 26 weeks.
CREATE TABLE access_work (
  week       BIGINT NOT NULL, -- weeks of the site, from Monday, since the one that began on 29 December 1969
  department TEXT NOT NULL,
  person     TEXT NOT NULL,
  openings   BIGINT NOT NULL, -- one: one patient, one deliberate disclosure
  explained  BIGINT NOT NULL, -- of these; those behind the glass are not
  PRIMARY KEY (week, department, person)
);
-- +goose Down
DROP TABLE access_work;

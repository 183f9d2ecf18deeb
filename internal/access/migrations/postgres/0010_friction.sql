-- +goose Up
-- What protection costs those who work: who opened which chart on a day of the site, and where something was asked first. Written by the
-- follower that writes access_day; rows go after 40 days.
CREATE TABLE access_opened (
  day     BIGINT NOT NULL, -- days since 1970 in the site's zone
  person  TEXT NOT NULL,
  patient BIGINT NOT NULL,
  asked   BIGINT NOT NULL, -- microseconds since 1970 when something was first asked that day; 0: nothing was
  glass   BIGINT NOT NULL, -- 1: what was asked was a reason at the glass; 0: a fresher sign-in, an approval, training
  opened  BIGINT NOT NULL, -- of the first deliberate disclosure after the question, or of the day where nothing was asked; 0: none
  PRIMARY KEY (day, person, patient)
);
-- +goose Down
DROP TABLE access_opened;

-- +goose Up
-- How many charts were opened on a day of the site, and by how many of them nothing explained it: the figures of the privacy office.
-- One opening is one person, one patient, one deliberate disclosure. Written by the follower that writes access_review.
CREATE TABLE access_day (
  day         BIGINT PRIMARY KEY, -- days since 1970 in the site's zone
  openings    BIGINT NOT NULL,
  unexplained BIGINT NOT NULL,    -- those behind the glass included
  glass       BIGINT NOT NULL
);
-- +goose Down
DROP TABLE access_day;

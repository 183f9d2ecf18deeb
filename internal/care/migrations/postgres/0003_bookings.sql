-- +goose Up
-- Who is expected at a clinic, by the time of the appointment, whoever the patient and whoever is to see her.
create index care_edge_booked on care_edge(since) where kind = 4;

-- +goose Up
-- One row is one relationship as it was known for a while. Names of people and places are keyed numbers; times are Unix milliseconds.
-- A row is never overwritten: what changes is closed and written anew, so that any day can be seen as it was known then.
create table care_edge (
    id        integer primary key,
    patient   integer not null, -- 0: staff and places
    actor     integer not null, -- keyed name of the person, role, department, place or schedule; 0: a protection of the chart
    kind      integer not null,
    place     integer not null, -- keyed name of the other end of an edge between staff and places; else 0
    detail    integer not null, -- part played, or which protection
    since     integer not null, -- when true, from
    until     integer not null, --   to (exclusive)
    known     integer not null, -- when known, from
    closed    integer not null, --   to (exclusive)
    author    integer not null, -- keyed name of who said so
    mine      integer not null, -- 1: the author might gain by it, so it waits for somebody else's act
    confirmed integer not null, -- when that act came; 0: not yet
    record    integer not null, -- the resource that says so
    about     integer not null  -- keyed name of that resource
);
create index care_edge_pair on care_edge(patient, actor, until);
create index care_edge_near on care_edge(actor, until);
create index care_edge_record on care_edge(record);
create index care_edge_holder on care_edge(place) where kind = 20;
create index care_edge_waiting on care_edge(about) where mine = 1 and confirmed = 0;
-- What a keyed name stands for, sealed: to name the members of a team.
create table care_name (
    name   integer primary key,
    sealed blob not null
);

-- +goose Up
-- One row is one question of the office to a person. Who is asked is keyed; the rest is sealed.
create table casework_question (
    number integer primary key,
    asked  blob not null, -- keyed name of who is asked
    about  integer not null, -- number of the case
    open   integer not null, -- 1 until it is answered
    sealed blob not null
);
create index casework_question_asked on casework_question(asked);
create index casework_question_about on casework_question(about);
-- One row is one suspicion about one person that two officers leave alone until a time. Times are Unix microseconds.
create table casework_mute (
    number integer primary key,
    name   blob not null, -- keyed name of the person and the hypothesis
    until  integer not null,
    sealed blob not null
);
create index casework_mute_name on casework_mute(name);
-- One row is one fact that a case was justified by, which may explain what is alike until a time.
create table casework_fact (
    number integer primary key,
    until  integer not null,
    sealed blob not null
);

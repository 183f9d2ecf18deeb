-- +goose Up
-- One row is one question of the office to a person. Who is asked is keyed; the rest is sealed.
create table casework_question (
    number bigint primary key,
    asked  bytea not null, -- keyed name of who is asked
    about  bigint not null, -- number of the case
    open   bigint not null, -- 1 until it is answered
    sealed bytea not null
);
create index casework_question_asked on casework_question(asked);
create index casework_question_about on casework_question(about);
-- One row is one suspicion about one person that two officers leave alone until a time. Times are Unix microseconds.
create table casework_mute (
    number bigint primary key,
    name   bytea not null, -- keyed name of the person and the hypothesis
    until  bigint not null,
    sealed bytea not null
);
create index casework_mute_name on casework_mute(name);
-- One row is one fact that a case was justified by, which may explain what is alike until a time.
create table casework_fact (
    number bigint primary key,
    until  bigint not null,
    sealed bytea not null
);

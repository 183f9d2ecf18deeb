-- +goose Up

-- Several nodes write to one store, each a log of its own. `log` says whose each is; `lease` which process may write it.

alter table log add column node text not null default 'main';
alter table log add column bound blob; -- seals number, node, origin and verifier under the installation's keys; null: the verifier is derived from them

create table lease (
    number integer primary key,            -- of the log; numbers are handed out here
    epoch  integer not null                -- one more with each process that takes the log up; what an older one appends fails
);
insert into lease(number, epoch) select number, 1 from log;

create table cursor (
    name   text    not null,               -- of a follower
    number integer not null,               -- of a log
    at     integer not null,               -- position of the next entry to be seen
    primary key (name, number)
) without rowid;
insert into cursor(name, number, at)
    select f.name, l.number, case
        when f.cursor >= (l.number + 1) << 40 then coalesce((select max(e.at) + 1 from entry e where e.at >= l.number << 40 and e.at < (l.number + 1) << 40), l.number << 40)
        else max(f.cursor, l.number << 40) end
    from follower f, log l;
drop table follower;

-- +goose Up
-- An item may be about no person: an act that another package carries out. What it is about then stands in its sealed part.
alter table identity_pending alter column person drop not null;
create index identity_pending_state on identity_pending(state, expires_at);

-- +goose Down
drop index identity_pending_state;
delete from identity_pending where person is null;
alter table identity_pending alter column person set not null;

-- +goose Up
-- Pages ask for the open items of one kind, and for what one person asked for lately.
create index identity_pending_kind on identity_pending(kind, state, expires_at);
create index identity_pending_asked on identity_pending(asked_by, asked_at);

-- +goose Down
drop index identity_pending_asked;
drop index identity_pending_kind;

-- +goose Up
-- What a session is at: the kind of browser in words, and the registered device whose key it showed.
alter table identity_session add column browser text not null default '';
alter table identity_session add column registered text not null default '';   -- id of the device; empty: none proved itself
alter table identity_session add column proven_at integer not null default 0;  -- when it last did

-- +goose Down
alter table identity_session drop column proven_at;
alter table identity_session drop column registered;
alter table identity_session drop column browser;

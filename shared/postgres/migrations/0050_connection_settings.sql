-- +goose Up
alter table connections
  add column settings jsonb not null default '{}', -- where to read; nothing secret
  add column secret text not null default '';      -- the name under which credentials are kept

-- +goose Down
alter table connections drop column settings, drop column secret;

-- +goose Up

-- What tenants say about themselves.
create table tenant_settings (
  tenant_id uuid primary key references tenants (id),
  document  jsonb not null
);
call protect('tenant_settings');

-- +goose Down
drop table tenant_settings;

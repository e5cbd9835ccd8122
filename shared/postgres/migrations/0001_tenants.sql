-- +goose Up

-- The tenant of the running transaction. After a transaction-local setting has ended, PostgreSQL reports it as the empty
-- text and not as null, hence nullif: no tenant then means no rows, not an error.
-- +goose StatementBegin
create function current_tenant() returns uuid language sql stable parallel safe as $$
  select nullif(current_setting('app.tenant_id', true), '')::uuid
$$;
-- +goose StatementEnd

-- protect puts a table behind row level security, forced so that it binds the owner as well.
-- +goose StatementBegin
create procedure protect(target regclass, tenant_column text default 'tenant_id') language plpgsql as $$
begin
  execute format('alter table %s enable row level security', target);
  execute format('alter table %s force row level security', target);
  execute format('create policy own_tenant on %s using (%I = (select current_tenant())) with check (%I = (select current_tenant()))',
    target, tenant_column, tenant_column);
end
$$;
-- +goose StatementEnd

create table tenants (
  id         uuid primary key,
  name       text not null,
  created_at timestamptz not null
);
call protect('tenants', 'id');

create table connections (
  tenant_id uuid not null references tenants (id),
  id        text not null,
  cloud     text not null,
  name      text not null,
  primary key (tenant_id, id)
);
call protect('connections');

-- +goose Down
drop table connections;
drop table tenants;
drop procedure protect;
drop function current_tenant;

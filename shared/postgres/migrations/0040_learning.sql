-- +goose Up

create table outcomes (
  tenant_id    uuid not null references tenants (id),
  execution_id text not null,
  state        text not null,
  first_at     timestamptz not null, -- when it was measured first
  document     jsonb not null,
  primary key (tenant_id, execution_id)
);
create index on outcomes (tenant_id, first_at desc, execution_id);
call protect('outcomes');

-- Every version of what was learned; the highest is the present one.
create table calibrations (
  tenant_id uuid not null references tenants (id),
  action    text not null,
  cloud     text not null,
  version   integer not null,
  document  jsonb not null,
  primary key (tenant_id, action, cloud, version)
);
call protect('calibrations');

-- +goose Down
drop table calibrations;
drop table outcomes;

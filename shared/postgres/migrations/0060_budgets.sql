-- +goose Up

create table budgets (
  tenant_id uuid not null references tenants (id),
  id        text collate "C" not null,
  name      text collate "C" not null,
  revision  bigint not null, -- counts how often it was written; a write names the one that it read
  document  jsonb not null,  -- budget.Budget
  primary key (tenant_id, id),
  unique (tenant_id, name)
);
call protect('budgets');

-- How each budget stood in each of its periods when that was last judged.
create table budget_standings (
  tenant_id    uuid not null,
  budget_id    text not null,
  period_start date not null,
  period_end   date not null,
  document     jsonb not null, -- budget.Standing
  primary key (tenant_id, budget_id, period_start, period_end),
  foreign key (tenant_id, budget_id) references budgets (tenant_id, id) on delete cascade
);
call protect('budget_standings');

create table budget_alerts (
  tenant_id    uuid not null,
  budget_id    text not null,
  id           text collate "C" not null,
  period_start date not null,
  period_end   date not null,
  status       text not null,
  raised_at    timestamptz not null,
  document     jsonb not null, -- budget.Alert
  primary key (tenant_id, budget_id, id),
  foreign key (tenant_id, budget_id) references budgets (tenant_id, id) on delete cascade
);
create index on budget_alerts (tenant_id, budget_id, raised_at desc, id desc);
call protect('budget_alerts');

-- +goose Down
drop table budget_alerts;
drop table budget_standings;
drop table budgets;

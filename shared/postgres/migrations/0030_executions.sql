-- +goose Up

-- Fencing tokens: one sequence for all tenants, so that a later lock always has the greater token.
create sequence execution_fence;

create table executions (
  tenant_id      uuid not null references tenants (id),
  id             uuid not null default gen_random_uuid(),
  recommendation text not null,
  connection     text not null,
  plan           jsonb not null,
  plan_hash      text not null,
  strategy       jsonb not null,
  dry_run        boolean not null,
  estimated      jsonb not null,
  requested_by   text not null,
  approved_by    text not null,
  status         text not null,
  reason         text not null default '',
  fence          bigint not null default 0,
  created_at     timestamptz not null,
  started_at     timestamptz,
  ended_at       timestamptz,
  primary key (tenant_id, id)
);
-- One open execution for a recommendation.
create unique index executions_open on executions (tenant_id, recommendation) where status in ('pending', 'running', 'stuck');
create index executions_latest on executions (tenant_id, created_at desc, id desc);
call protect('executions');

create table execution_phases (
  tenant_id    uuid not null,
  execution_id uuid not null,
  number       int not null,
  percent      int not null,
  targets      jsonb not null,
  started_at   timestamptz,
  applied_at   timestamptz,
  judged_at    timestamptz,
  verdict      text not null default '',
  reasons      jsonb not null default '[]',
  primary key (tenant_id, execution_id, number),
  foreign key (tenant_id, execution_id) references executions (tenant_id, id)
);
call protect('execution_phases');

-- The journal is only ever added to; a task that runs twice meets the unique key.
create table execution_journal (
  tenant_id    uuid not null,
  execution_id uuid not null,
  seq          bigint generated always as identity,
  at           timestamptz not null,
  phase        int not null,
  step         text not null,
  ref          jsonb not null,
  before       jsonb,
  after        jsonb,
  result       jsonb,
  note         text not null default '',
  primary key (tenant_id, execution_id, seq),
  unique (tenant_id, execution_id, phase, step, ref),
  foreign key (tenant_id, execution_id) references executions (tenant_id, id)
);
call protect('execution_journal');

create table execution_freezes (
  tenant_id uuid primary key references tenants (id),
  frozen    boolean not null,
  reason    text not null,
  set_by    text not null,
  set_at    timestamptz not null
);
call protect('execution_freezes');

-- +goose Down
drop table execution_freezes;
drop table execution_journal;
drop table execution_phases;
drop table executions;
drop sequence execution_fence;

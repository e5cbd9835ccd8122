-- +goose Up

-- Incidents in the daily cost. analysis names what the finding run was about ("total" is the whole bill).
create table anomalies (
  tenant_id uuid not null references tenants (id),
  id        text not null,
  analysis  text not null,
  basis     text not null,
  status    text not null,
  severity  smallint not null, -- 0 is low, 3 is critical
  provider  text,
  service   text,
  started   date not null,
  detected  date not null,
  document  jsonb not null,
  primary key (tenant_id, analysis, basis, id)
);
create index on anomalies (tenant_id, detected desc, id);
call protect('anomalies');

-- The last forecast and the last trend of each scope. Provider and service are null where the scope does not fix them.
create table analysis_results (
  tenant_id uuid not null references tenants (id),
  kind      text not null, -- forecast or trend
  analysis  text not null,
  basis     text not null,
  scope     text not null,
  currency  text not null,
  provider  text,
  service   text,
  position  integer not null, -- the order in which the run gave them: the whole, its providers, its services
  document  jsonb not null,
  primary key (tenant_id, kind, analysis, basis, scope, currency)
);
call protect('analysis_results');

-- +goose Down
drop table analysis_results;
drop table anomalies;

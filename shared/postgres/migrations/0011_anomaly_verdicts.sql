-- +goose Up

-- What people think of anomalies: the last verdict on each.
create table anomaly_verdicts (
  tenant_id uuid not null references tenants (id),
  anomaly   text not null,
  given_at  timestamptz not null,
  document  jsonb not null,
  primary key (tenant_id, anomaly)
);
call protect('anomaly_verdicts');

-- +goose Down
drop table anomaly_verdicts;

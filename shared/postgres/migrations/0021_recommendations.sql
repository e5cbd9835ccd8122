-- +goose Up

create table recommendations (
  tenant_id      uuid not null references tenants (id),
  id             text not null,
  connection_id  text not null,
  rule           text not null,
  status         text not null,
  score          double precision not null,
  monthly_saving numeric not null,
  document       jsonb not null,
  primary key (tenant_id, id)
);
create index on recommendations (tenant_id, score desc, id);
create index on recommendations (tenant_id, connection_id, rule);
call protect('recommendations');

-- What the last generation considered and did not recommend.
create table rejected_recommendations (
  tenant_id     uuid not null references tenants (id),
  connection_id text not null,
  rule          text not null,
  resource_id   text not null,
  document      jsonb not null,
  primary key (tenant_id, connection_id, rule, resource_id)
);
call protect('rejected_recommendations');

-- +goose Down
drop table rejected_recommendations;
drop table recommendations;

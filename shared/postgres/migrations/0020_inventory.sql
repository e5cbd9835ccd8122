-- +goose Up

-- The last reading of each connection, with its price list.
create table inventory_readings (
  tenant_id     uuid not null,
  connection_id text not null,
  read_at       timestamptz not null,
  prices        jsonb not null default '[]',
  primary key (tenant_id, connection_id),
  foreign key (tenant_id, connection_id) references connections (tenant_id, id)
);
call protect('inventory_readings');

-- What exists or existed. unchanged_since is when the inventory first saw the attributes that decide cost and performance;
-- as_is_since reaches back to the creation of a resource that was never seen to change.
create table resources (
  tenant_id       uuid not null,
  connection_id   text not null,
  id              text not null,
  cloud           text not null,
  account         text not null,
  region          text not null,
  type            text not null,
  name            text not null,
  attributes      jsonb not null,
  tags            jsonb not null,
  created_at      timestamptz,
  seen_at         timestamptz not null,
  as_is_since     timestamptz,
  unchanged_since timestamptz not null,
  gone_at         timestamptz,
  primary key (tenant_id, connection_id, id),
  foreign key (tenant_id, connection_id) references connections (tenant_id, id)
);
call protect('resources');

-- How each metric was distributed on each day; seconds is the time that its samples stand for.
create table usage_days (
  tenant_id     uuid not null,
  connection_id text not null,
  resource_id   text not null,
  metric        text not null,
  day           date not null,
  seconds       bigint not null,
  sketch        bytea not null, -- recommend.Sketch
  primary key (tenant_id, connection_id, day, resource_id, metric)
);
call protect('usage_days');

-- +goose Down
drop table usage_days;
drop table resources;
drop table inventory_readings;

-- +goose Up

-- A connection that was removed keeps its row, for the bills that came through it stay.
alter table connections add column removed_at timestamptz;

-- How the last attempt went to read each thing of a connection. month is that of a bill, else the epoch.
create table connection_readings (
  tenant_id     uuid not null,
  connection_id text not null,
  what          text not null,
  month         date not null,
  status        text not null,
  reason        text not null,
  spent         jsonb not null, -- what reading it cost
  at            timestamptz not null,
  primary key (tenant_id, connection_id, what, month),
  foreign key (tenant_id, connection_id) references connections (tenant_id, id)
);
call protect('connection_readings');

-- How reading each part went in the last inventory: an account's region and service.
create table connection_parts (
  tenant_id     uuid not null,
  connection_id text not null,
  account       text not null,
  region        text not null,
  service       text not null,
  status        text not null,
  reason        text not null,
  primary key (tenant_id, connection_id, account, region, service),
  foreign key (tenant_id, connection_id) references connections (tenant_id, id)
);
call protect('connection_parts');

-- +goose Down
drop table connection_parts;
drop table connection_readings;
alter table connections drop column removed_at;

-- +goose Up

-- The commitments that a connection holds, and how they were used in the days before they were read. commitment_id is empty for
-- what is told of all of a type together.
create table commitments (
  tenant_id     uuid not null,
  connection_id text not null,
  id            text not null,
  read_at       timestamptz not null,
  document      jsonb not null, -- resource.Commitment
  primary key (tenant_id, connection_id, id),
  foreign key (tenant_id, connection_id) references connections (tenant_id, id)
);
call protect('commitments');

create table commitment_use (
  tenant_id     uuid not null,
  connection_id text not null,
  account       text not null,
  type          text not null,
  commitment_id text not null,
  read_at       timestamptz not null,
  document      jsonb not null, -- resource.CommitmentUse
  primary key (tenant_id, connection_id, commitment_id, type, account),
  foreign key (tenant_id, connection_id) references connections (tenant_id, id)
);
call protect('commitment_use');

-- What providers recommend themselves.
create table provider_advice (
  tenant_id     uuid not null,
  connection_id text not null,
  source        text not null,
  advice_id     text not null,
  resource_id   text not null,
  read_at       timestamptz not null,
  document      jsonb not null, -- resource.Advice
  primary key (tenant_id, connection_id, source, advice_id),
  foreign key (tenant_id, connection_id) references connections (tenant_id, id)
);
call protect('provider_advice');

-- Parts of what is read beside the inventory say nothing about what exists.
alter table connection_parts add column beside boolean not null default false;
alter table connection_parts drop constraint connection_parts_pkey;
alter table connection_parts add primary key (tenant_id, connection_id, beside, account, region, service);

-- +goose Down
delete from connection_parts where beside;
alter table connection_parts drop constraint connection_parts_pkey;
alter table connection_parts drop column beside;
alter table connection_parts add primary key (tenant_id, connection_id, account, region, service);
drop table provider_advice;
drop table commitment_use;
drop table commitments;

-- +goose Up

-- What was asked to be loaded: one row a file. connection_id is what the upload named, empty when connections were
-- derived from the rows. A load is current while all its bills are.
create table loads (
  tenant_id     uuid not null references tenants (id),
  id            bigint not null generated always as identity primary key,
  connection_id text not null,
  sha256        text not null,
  bills         integer not null default 0,
  report        jsonb,
  loaded_at     timestamptz not null
);
create index on loads (tenant_id, sha256);
call protect('loads');

-- One (connection, billing period) with the load that its rows come from.
create table bills (
  tenant_id     uuid not null,
  id            bigint not null generated always as identity primary key,
  connection_id text not null,
  period_start  timestamptz not null,
  period_end    timestamptz not null,
  load_id       bigint not null references loads (id),
  rows          bigint not null default 0,
  first_usage   date,
  last_usage    date,
  unique (tenant_id, connection_id, period_start, period_end),
  foreign key (tenant_id, connection_id) references connections (tenant_id, id)
);
create index on bills (load_id);
call protect('bills');

-- Texts that bills repeat, each stored once a tenant. value is an array of related columns of kind, in the order that
-- dimensions.go names them, or an object for a set of tags. hash is that of kind and value, which may be too long for an index.
create table dictionary (
  tenant_id uuid not null references tenants (id),
  id        integer not null,
  kind      smallint not null,
  hash      uuid not null,
  value     jsonb not null,
  primary key (tenant_id, id),
  unique (tenant_id, hash)
);
create index on dictionary (tenant_id, kind);
call protect('dictionary');

-- The charges themselves, partitioned by the month in which the billing period begins.
create table cost_rows (
  tenant_id             uuid not null,
  billing_month         date not null,
  bill_id               bigint not null,
  charge_start          timestamptz not null,
  charge_end            timestamptz not null,
  provider_id           integer not null,
  billing_account_id    integer not null,
  sub_account_id        integer not null,
  service_id            integer not null,
  region_id             integer not null,
  charge_id             integer not null,
  resource_id           integer not null,
  sku_id                integer not null,
  commitment_id         integer not null,
  tags_id               integer not null,
  currency              text not null,
  billed_cost           numeric not null,
  effective_cost        numeric not null,
  list_cost             numeric not null,
  contracted_cost       numeric not null,
  pricing_quantity      numeric,
  consumed_quantity     numeric,
  list_unit_price       numeric,
  contracted_unit_price numeric,
  extra                 jsonb
) partition by list (billing_month);
create index on cost_rows (bill_id);
call protect('cost_rows');

-- billing_month_partition gives the partition of a month, and makes it when there is none. The lock lets one transaction
-- at a time make partitions; it holds up no reader and no writer of the months that exist.
--
-- Rows are copied straight into a partition, for COPY does not work through row level security. So that this opens no
-- hole, nobody may read or change a partition but through cost_rows, not even its owner, and a row that enters it must
-- belong to the tenant of the transaction.
-- +goose StatementBegin
create function billing_month_partition(month date) returns text language plpgsql security definer
  set search_path from current as $$
declare
  name text := 'cost_rows_' || to_char(month, 'YYYY_MM');
begin
  if to_regclass(name) is null then
    lock table cost_rows in share update exclusive mode;
    if to_regclass(name) is null then
      execute format('create table %I (like cost_rows, check ((tenant_id = current_tenant()) is true))', name);
      execute format('revoke all on %I from %I', name, current_user);
      execute format('grant insert on %I to public', name);
      execute format('alter table cost_rows attach partition %I for values in (%L)', name, month);
    end if;
  end if;
  return name;
end
$$;
-- +goose StatementEnd

-- Sums of cost_rows a day, for what needs neither resources nor tags.
create table cost_daily (
  tenant_id          uuid not null,
  bill_id            bigint not null references bills (id),
  usage_date         date not null,
  provider_id        integer not null,
  billing_account_id integer not null,
  sub_account_id     integer not null,
  service_id         integer not null,
  region_id          integer not null,
  charge_id          integer not null,
  currency           text not null,
  billed_cost        numeric not null,
  effective_cost     numeric not null,
  list_cost          numeric not null,
  contracted_cost    numeric not null,
  rows               bigint not null,
  primary key (bill_id, usage_date, service_id, sub_account_id, region_id, charge_id, billing_account_id, provider_id, currency)
);
create index on cost_daily (tenant_id, usage_date);
call protect('cost_daily');

-- After a large load the planner must know what came, at once: with the statistics of an empty table it would join
-- thousands of sums to the dictionary one by one. Of the charges it learns the columns that queries select and join by,
-- from a smaller sample than usual, since the load waits for it; autovacuum looks closer later.
-- +goose StatementBegin
create function analyze_bills(months date[]) returns void language plpgsql security definer
  set search_path from current as $$
declare
  month date;
begin
  analyze dictionary;
  analyze bills;
  analyze cost_daily;
  set local default_statistics_target = 30;
  foreach month in array months loop
    execute format('analyze %I (tenant_id, bill_id, charge_start, provider_id, billing_account_id, sub_account_id, service_id,
      region_id, charge_id, resource_id, sku_id, commitment_id, tags_id, currency)', billing_month_partition(month));
  end loop;
end
$$;
-- +goose StatementEnd

-- +goose Down
drop function analyze_bills;
drop table cost_daily;
drop table cost_rows;
drop function billing_month_partition;
drop table dictionary;
drop table bills;
drop table loads;

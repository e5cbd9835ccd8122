-- +goose Up

-- As before, but of months only that a load made larger by a tenth of what the planner knows of, or of which it knows nothing:
-- a hundred connections of one month would otherwise wait longer for statistics than for their bills. Autovacuum sees to the rest.
drop function analyze_bills(date[]);
-- +goose StatementBegin
create function analyze_bills(months date[], loaded bigint[]) returns void language plpgsql security definer
  set search_path from current as $$
declare
  grown text[];
  partition text;
begin
  select array_agg(p.name) into grown
  from unnest(months, loaded) as l (month, rows), billing_month_partition(l.month) as p (name), pg_class c
  where c.oid = to_regclass(quote_ident(p.name)) and l.rows * 10 >= c.reltuples;
  if grown is null then
    return;
  end if;
  analyze dictionary;
  analyze bills;
  analyze cost_daily;
  set local default_statistics_target = 30;
  foreach partition in array grown loop
    execute format('analyze %I (tenant_id, bill_id, charge_start, provider_id, billing_account_id, sub_account_id, service_id,
      region_id, charge_id, resource_id, sku_id, commitment_id, tags_id, currency)', partition);
  end loop;
end
$$;
-- +goose StatementEnd

-- +goose Down
drop function analyze_bills(date[], bigint[]);
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
